package dev.caravan.imports;

import dev.caravan.address.AllowedHosts;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Retry;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.ScheduleFires;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.SftpConfig;
import dev.caravan.project.SftpConfig.Download;
import dev.caravan.project.SftpConfig.Links;
import dev.caravan.project.SftpServer;
import dev.caravan.setup.SftpOverrides;
import dev.caravan.source.sftp.SftpLogin;
import dev.caravan.source.sftp.SftpSessions;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.upload.Uploads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import javax.sql.DataSource;
import org.apache.camel.Exchange;

/**
 * The import of one project as one job, one poll or one call has it. It is cheap to make and holds
 * nothing open: what runs are the routes and servers' sessions that all projects share.
 */
public final class SftpImport {

  /** Exchange property: the import that the job of the exchange belongs to. */
  static final String PROPERTY = "CaravanImport";

  private final Surroundings around;
  private final String tenant;
  private final ProjectConfig project;
  private final boolean ofFile;

  /**
   * What the imports of all projects share.
   *
   * @param databases that rows go to, by the names that projects have for them
   * @param sessions on the servers that files come from
   * @param tenantHosts where servers may be that tenants name
   * @param defaultServer for a project that names none
   * @param defaultKnownHosts for a project that names a server but no host key
   * @param overrides servers that single imports name instead of their project's
   * @param localFiles folder that has one for each tenant, whose files imports may name
   * @param timeout of one attempt
   */
  public record Surroundings(
      Function<String, DataSource> databases,
      SftpSessions sessions,
      AllowedHosts tenantHosts,
      SftpServer defaultServer,
      Optional<Path> defaultKnownHosts,
      JdbcJobRepository jobs,
      JobLauncher launcher,
      ScheduleFires fires,
      Uploads uploads,
      SftpOverrides overrides,
      Optional<Path> localFiles,
      Retry retry,
      Duration timeout) {}

  /**
   * @param project named by its key
   * @param ofFile whether it is the operator's, who may name any server
   */
  SftpImport(Surroundings around, String tenant, ProjectConfig project, boolean ofFile) {
    this.around = around;
    this.tenant = tenant;
    this.project = project;
    this.ofFile = ofFile;
  }

  /** The import that the job of an exchange belongs to. */
  static SftpImport of(Exchange exchange) {
    return exchange.getProperty(PROPERTY, SftpImport.class);
  }

  String tenant() {
    return tenant;
  }

  ProjectConfig project() {
    return project;
  }

  /**
   * Its folder on its server.
   *
   * @throws CaravanException CONFIG_INVALID when the known hosts cannot be read
   */
  SftpSource source() {
    return source(project.sftp(), !ofFile && project.sftp().server().isPresent());
  }

  /**
   * A folder on a server, or on the server of the settings.
   *
   * @param ofTenant whether a tenant has named the server
   * @throws CaravanException CONFIG_INVALID when the known hosts cannot be read
   */
  SftpSource source(SftpConfig sftp, boolean ofTenant) {
    SftpServer server = sftp.server().orElse(around.defaultServer());
    return new SftpSource(
        around.sessions(),
        new SftpLogin(
            server.host(),
            server.port(),
            server.username(),
            server.password(),
            server.keyPath(),
            server.keyPassphrase(),
            knownHosts(server),
            ofTenant ? Optional.of(around.tenantHosts()) : Optional.empty()),
        sftp.remotePath(),
        sftp.download() == Download.TEMP_FILE,
        sftp.links() == Links.ANYWHERE,
        Clock.systemUTC());
  }

  /** In the format of OpenSSH; a port other than 22 is part of the name there. */
  private String knownHosts(SftpServer server) {
    if (server.hostKeys().isEmpty()) {
      Path file = server.knownHosts().or(around::defaultKnownHosts).orElseThrow(this::noHostKey);
      try {
        return Files.readString(file);
      } catch (IOException e) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "project %s: sftp.known_hosts: %s cannot be read.".formatted(project.project(), file),
            e);
      }
    }
    String host =
        server.port() == 22 ? server.host() : "[%s]:%d".formatted(server.host(), server.port());
    StringBuilder lines = new StringBuilder();
    server.hostKeys().forEach(key -> lines.append(host).append(' ').append(key).append('\n'));
    return lines.toString();
  }

  private CaravanException noHostKey() {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "project %s: sftp: neither host_key nor known_hosts is set, so that the server cannot be told from another; allowed is one of them."
            .formatted(project.project()));
  }

  /** Name of the database that its rows go to. */
  public String connection() {
    return project.connection();
  }

  /** The database that its rows go to. */
  DataSource target() {
    return around.databases().apply(project.connection());
  }

  /** In which order it loads files. */
  LoadOrder order() {
    return new LoadOrder(project, target());
  }

  /** Moves its loaded files away. */
  FileMover mover() {
    return new FileMover(tenant, project, this::source, around.jobs());
  }

  /** Loads records of it that were refused and fixed. */
  public Replay replay() {
    return new Replay(jobs());
  }

  /**
   * The files that an import would load, and their first rows, as JSON.
   *
   * @throws CaravanException when the server cannot be asked
   */
  public String preview() {
    return new ImportPreview(project, source(), target()).files();
  }

  /**
   * The SQL that an import would run on the definitions of its tables, as JSON.
   *
   * @throws CaravanException when server or database cannot be asked, or a file cannot be loaded
   */
  public String plan() {
    return new ImportPreview(project, source(), target()).ddl();
  }

  /** Files that calls name. */
  public GivenFiles given() {
    return new GivenFiles(around, this);
  }

  /** Its jobs, to be launched by somebody else than the poll. */
  public ImportJobs jobs() {
    return new ImportJobs(tenant, project, around.launcher(), around.retry(), around.timeout());
  }
}
