package dev.caravan.imports;

import dev.caravan.job.JobRequest;
import dev.caravan.job.camel.RejectReplay;
import dev.caravan.job.jdbc.JobReports.FileLoad;
import dev.caravan.project.ProjectConfig;
import java.util.UUID;

/**
 * Replays corrected rejects of an import, by the rules that its project has for the file that they
 * came from.
 */
public final class Replay {

  private final ProjectConfig project;
  private final ImportJobs jobs;

  /** What the job is told. */
  record Told(UUID load, String file) {}

  Replay(ProjectConfig project, ImportJobs jobs) {
    this.project = project;
    this.jobs = jobs;
  }

  /** The id of the route that does it. */
  static String route(ProjectConfig project) {
    return "replay-" + project.project();
  }

  /** A request to replay the fixed records of a load. */
  public JobRequest request(FileLoad load) {
    Told told = new Told(load.loadId(), load.file());
    JobRequest request = jobs.request(RejectReplay.KIND, route(project), told);
    jobs.target(load.file()).ifPresent(request::target); // one after the other with its imports
    return request;
  }

  /** What a job with these parameters is to replay. */
  RejectReplay.Refused refused(String parameters) {
    Told told = Parameters.read(parameters, Told.class);
    return new RejectReplay.Refused(
        told.load(), told.file(), LoadPlanner.load(project, told.file(), true));
  }
}
