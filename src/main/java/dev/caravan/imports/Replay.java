package dev.caravan.imports;

import dev.caravan.job.JobRequest;
import dev.caravan.job.camel.RejectReplay;
import dev.caravan.job.jdbc.JobReports.FileLoad;
import java.util.UUID;
import org.apache.camel.Exchange;

/**
 * Replays corrected rejects of an import, by the rules that its project has for the file that they
 * came from.
 */
public final class Replay {

  private static final String ROUTE = "replay-rejects";

  private final ImportJobs jobs;

  /** What the job is told. */
  record Told(UUID load, String file) {}

  Replay(ImportJobs jobs) {
    this.jobs = jobs;
  }

  /** A request to replay the fixed records of a load. */
  public JobRequest request(FileLoad load) {
    Told told = new Told(load.loadId(), load.file());
    JobRequest request = jobs.request(RejectReplay.KIND, ROUTE, told);
    jobs.target(load.file()).ifPresent(request::target); // one after the other with its imports
    return request;
  }

  /** What the job of a message is to replay. */
  static RejectReplay.Refused refused(Exchange exchange) {
    Told told = Parameters.read(exchange.getMessage().getBody(String.class), Told.class);
    SftpImport of = SftpImport.of(exchange);
    return new RejectReplay.Refused(
        told.load(), told.file(), LoadPlanner.load(of.project(), told.file(), true), of.target());
  }
}
