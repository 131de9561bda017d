package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.Retry;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.project.ProjectConfig;
import dev.caravan.source.sftp.FileStamp;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The jobs of one project. */
public final class ImportJobs {

  /** Kind of the jobs. */
  public static final String KIND = "import-sftp";

  /** Kind of the jobs that load uploads. */
  public static final String UPLOAD_KIND = "import-upload";

  /** Kind of the jobs that load local files. */
  public static final String LOCAL_KIND = "import-local";

  /** The route of jobs that load files of the project's server. */
  private static final String ROUTE = "import-sftp";

  /** The route of jobs that load files that a call names. */
  private static final String GIVEN_ROUTE = "import-given";

  private final String tenant;
  private final ProjectConfig project;
  private final JobLauncher launcher;
  private final Retry retry;
  private final Duration timeout;

  ImportJobs(
      String tenant, ProjectConfig project, JobLauncher launcher, Retry retry, Duration timeout) {
    this.tenant = tenant;
    this.project = project;
    this.launcher = launcher;
    this.retry = retry;
    this.timeout = timeout;
  }

  /** A request to import some files, or all that are ready; more can be said before its launch. */
  public JobRequest request(ImportParameters parameters) {
    return request(KIND, ROUTE, parameters);
  }

  /** A request for work on the project by the route. */
  JobRequest request(String kind, String route, Object parameters) {
    return new JobRequest(kind, project.project(), route)
        .tenant(tenant)
        .connection(project.connection())
        .parameters(Parameters.write(parameters))
        .attempts(retry.attempts(), timeout);
  }

  /**
   * A request to import files that a call names; more can be said before its launch.
   *
   * @param filename of the file when it is the only one, for its table has one job at a time
   */
  public JobRequest request(GivenParameters given, Optional<String> filename) {
    String kind = given.sftp() != null ? KIND : given.files().isEmpty() ? UPLOAD_KIND : LOCAL_KIND;
    JobRequest request = request(kind, GIVEN_ROUTE, given);
    filename.flatMap(this::target).ifPresent(request::target);
    return request;
  }

  /** Launches the import of one file, unless the file has a job. */
  void launch(FileStamp file) {
    JobRequest request =
        request(new ImportParameters(List.of(file.name()), false)).source(source(file));
    target(file.name()).ifPresent(request::target);
    try {
      launcher.launch(request);
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot launch the import of " + file.name(), e);
    }
  }

  /** Empty when the name gives none: the job will say why. */
  Optional<String> target(String file) {
    try {
      return project
          .plan(file)
          .map(p -> "%s/%s.%s".formatted(project.connection(), p.schema(), p.table()));
    } catch (CaravanException e) {
      return Optional.empty();
    }
  }

  static SourceFile source(FileStamp stamp) {
    return new SourceFile(stamp.name(), stamp.size(), stamp.modifiedAt());
  }

  static FileStamp stamp(SourceFile file) {
    return new FileStamp(file.name(), file.size(), file.modifiedAt());
  }
}
