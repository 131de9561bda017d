package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.SftpConfig;
import dev.caravan.project.SftpConfig.AfterLoad;
import dev.caravan.project.SftpConfig.Download;
import dev.caravan.project.SftpServer;
import dev.caravan.source.sftp.SftpFileGate;
import dev.caravan.source.sftp.SftpJournal;
import dev.caravan.source.sftp.SftpPollStrategy;
import dev.caravan.source.sftp.SftpProcessStrategy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;

/** Puts the import of one project into a context: its beans, then its route from the template. */
public final class SftpImport {

  private static final String TEMPLATE = "import-sftp";

  private final CamelContext context;
  private final ProjectConfig project;
  private final SftpServer server;
  private final Optional<Path> defaultKnownHosts;

  private SftpImport(
      CamelContext context,
      ProjectConfig project,
      SftpServer server,
      Optional<Path> defaultKnownHosts) {
    this.defaultKnownHosts = defaultKnownHosts;
    this.context = context;
    this.project = project;
    this.server = server;
  }

  /**
   * Adds the route {@code import-<project>}.
   *
   * @param context has the template, and the project's connection as a bean
   * @param defaultServer for a project that names none
   * @param defaultKnownHosts for a project that names a server but no host key
   * @throws CaravanException CONFIG_INVALID when the known hosts or the key cannot be read
   */
  public static void add(
      CamelContext context,
      ProjectConfig project,
      SftpServer defaultServer,
      Optional<Path> defaultKnownHosts,
      JdbcJobRepository jobs)
      throws Exception {
    SftpServer server = project.sftp().server().orElse(defaultServer);
    SftpImport sftpImport = new SftpImport(context, project, server, defaultKnownHosts);
    sftpImport.bindParts(new ImportJournal(project.project(), jobs));
    context.addRouteFromTemplate("import-" + project.project(), TEMPLATE, sftpImport.parameters());
  }

  private void bindParts(SftpJournal journal) throws IOException {
    SftpConfig sftp = project.sftp();
    boolean keep = sftp.afterLoad() == AfterLoad.KEEP;
    Clock clock = Clock.systemUTC();
    SftpFileGate gate =
        new SftpFileGate(project::covers, stamp -> keep && journal.isLoadedAndThere(stamp), clock);
    bind("gate", gate);
    bind("pollStrategy", new SftpPollStrategy(gate, journal, clock));
    bind(
        "processStrategy",
        new SftpProcessStrategy(
            gate,
            journal,
            keep ? null : sftp.moveTo(),
            sftp.download() == Download.TEMP_FILE,
            clock));
    bind("loadPlanner", new LoadPlanner(project));
    bind("knownHosts", knownHosts());
  }

  private String bind(String part, Object bean) {
    String name = project.project() + "." + part;
    context.getRegistry().bind(name, bean);
    return "#bean:" + name;
  }

  /** In the format of OpenSSH; a port other than 22 is part of the name there. */
  private byte[] knownHosts() throws IOException {
    if (server.hostKeys().isEmpty()) {
      Path file = server.knownHosts().or(() -> defaultKnownHosts).orElseThrow(this::noHostKey);
      if (!Files.isReadable(file)) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "project %s: sftp.known_hosts: %s cannot be read.".formatted(project.project(), file));
      }
      return Files.readAllBytes(file);
    }
    String host =
        server.port() == 22 ? server.host() : "[%s]:%d".formatted(server.host(), server.port());
    StringBuilder lines = new StringBuilder();
    server.hostKeys().forEach(key -> lines.append(host).append(' ').append(key).append('\n'));
    return lines.toString().getBytes(StandardCharsets.UTF_8);
  }

  private CaravanException noHostKey() {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "project %s: sftp: neither host_key nor known_hosts is set, so that the server cannot be told from another; allowed is one of them."
            .formatted(project.project()));
  }

  private Map<String, Object> parameters() {
    SftpConfig sftp = project.sftp();
    Map<String, Object> parameters = new HashMap<>();
    parameters.put("project", project.project());
    parameters.put("connection", project.connection());
    parameters.put("host", server.host());
    parameters.put("port", server.port());
    parameters.put("username", server.username());
    parameters.put("directory", sftp.remotePath());
    parameters.put("authentications", server.keyPath().isPresent() ? "publickey" : "password");
    parameters.put("pollMillis", sftp.pollInterval().toMillis());
    server.password().ifPresent(s -> parameters.put("password", bind("password", s)));
    server.keyPath().ifPresent(p -> parameters.put("privateKeyFile", p.toString()));
    server
        .keyPassphrase()
        .ifPresent(s -> parameters.put("privateKeyPassphrase", bind("keyPassphrase", s)));
    sftp.doneMarker()
        .ifPresent(marker -> parameters.put("doneFileName", marker.markerOf("${file:name}")));
    return parameters;
  }
}
