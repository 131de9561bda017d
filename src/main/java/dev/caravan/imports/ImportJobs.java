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
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.file.FileComponent;
import org.apache.camel.component.file.GenericFile;

/** The jobs of one project; as a step of the polling route it launches one for each file. */
public final class ImportJobs implements Processor {

  /** Kind of the jobs. */
  public static final String KIND = "import-sftp";

  /** Kind of the jobs that load uploads. */
  public static final String UPLOAD_KIND = "import-upload";

  /** Kind of the jobs that load local files. */
  public static final String LOCAL_KIND = "import-local";

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

  /** The id of the route that does the work. */
  static String route(ProjectConfig project) {
    return "import-" + project.project();
  }

  /** A request to import some files, or all that are ready; more can be said before its launch. */
  public JobRequest request(ImportParameters parameters) {
    return request(KIND, route(project), parameters);
  }

  /** A request for work on the project by the route. */
  JobRequest request(String kind, String route, Object parameters) {
    return new JobRequest(kind, project.project(), route)
        .tenant(tenant)
        .connection(project.connection())
        .parameters(Parameters.write(parameters))
        .attempts(retry.attempts(), timeout);
  }

  /** The id of the route that loads files that a call names. */
  static String givenRoute(ProjectConfig project) {
    return "given-" + project.project();
  }

  /**
   * A request to import files that a call names; more can be said before its launch.
   *
   * @param filename of the file when it is the only one, for its table has one job at a time
   */
  public JobRequest request(GivenParameters given, Optional<String> filename) {
    String kind = given.sftp() != null ? KIND : given.files().isEmpty() ? UPLOAD_KIND : LOCAL_KIND;
    JobRequest request = request(kind, givenRoute(project), given);
    filename.flatMap(this::target).ifPresent(request::target);
    return request;
  }

  @Override
  public void process(Exchange exchange) {
    FileStamp file =
        FileStamp.of(exchange.getProperty(FileComponent.FILE_EXCHANGE_FILE, GenericFile.class));
    String name = file.name();
    JobRequest request = request(new ImportParameters(List.of(name), false)).source(source(file));
    target(name).ifPresent(request::target);
    try {
      launcher.launch(request);
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot launch the import of " + name, e);
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
