package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Retry;
import dev.caravan.job.camel.FileRecorder;
import dev.caravan.job.camel.Schedule;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.ScheduleFires;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ScheduleConfig;
import dev.caravan.project.SftpConfig;
import dev.caravan.project.SftpConfig.Download;
import dev.caravan.project.SftpServer;
import dev.caravan.source.sftp.SftpFileGate;
import dev.caravan.source.sftp.SftpPollStrategy;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.upload.Uploads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.component.file.remote.SftpEndpoint;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;

/**
 * The import of one project: its beans and its two routes, one that polls and launches jobs and one
 * that does them.
 */
public final class SftpImport implements AutoCloseable {

  private static final String POLL_TEMPLATE = "poll-sftp";
  private static final String JOB_TEMPLATE = "import-sftp";
  private static final String UPLOAD_TEMPLATE = "import-upload";
  private static final String REPLAY_TEMPLATE = "replay-rejects";
  private static final String SCHEDULE_TEMPLATE = "schedule";

  /** For polls under way; a job is waited for before. */
  private static final int STOP_SECONDS = 5;

  private final CamelContext context;
  private final String tenant;
  private final ProjectConfig project;
  private final SftpServer server;
  private final Optional<Path> defaultKnownHosts;
  private final SftpSource source;
  private final FileMover mover;
  private final ImportJobs imports;
  private final JdbcJobRepository jobs;
  private final List<String> routes = new ArrayList<>();
  private final List<String> beans = new ArrayList<>();
  private Schedule schedule;
  private ImportPreview preview;
  private Replay replay;

  /**
   * What the imports of all projects share.
   *
   * @param context has the templates, and the projects' connections as beans
   * @param defaultServer for a project that names none
   * @param defaultKnownHosts for a project that names a server but no host key
   * @param timeout of one attempt
   */
  public record Surroundings(
      CamelContext context,
      SftpServer defaultServer,
      Optional<Path> defaultKnownHosts,
      JdbcJobRepository jobs,
      JobLauncher launcher,
      ScheduleFires fires,
      Uploads uploads,
      Retry retry,
      Duration timeout) {}

  private SftpImport(Surroundings around, String tenant, ProjectConfig project) {
    this.context = around.context();
    this.project = project;
    this.server = project.sftp().server().orElse(around.defaultServer());
    this.defaultKnownHosts = around.defaultKnownHosts();
    this.jobs = around.jobs();
    this.source =
        new SftpSource(
            () -> (SftpEndpoint) context.getRoute(pollRoute(project)).getEndpoint(),
            project.sftp().download() == Download.TEMP_FILE,
            Clock.systemUTC());
    this.mover = new FileMover(project, source, jobs);
    this.imports =
        new ImportJobs(tenant, project, around.launcher(), around.retry(), around.timeout());
    this.tenant = tenant;
  }

  private static String pollRoute(ProjectConfig project) {
    return "poll-" + project.project();
  }

  /**
   * Adds the routes {@code poll-<project>} and {@code import-<project>}; none is left when it
   * fails.
   *
   * @param project named by its key
   * @throws CaravanException CONFIG_INVALID when the known hosts or the key cannot be read
   */
  public static SftpImport add(Surroundings around, String tenant, ProjectConfig project)
      throws Exception {
    SftpImport sftpImport = new SftpImport(around, tenant, project);
    try {
      sftpImport.addAll(around);
      return sftpImport;
    } catch (Exception e) {
      sftpImport.remove();
      throw e;
    }
  }

  private void addAll(Surroundings around) throws Exception {
    bindParts(around.uploads());
    addRoute(
        ImportJobs.route(project),
        JOB_TEMPLATE,
        Map.of("project", project.project(), "connection", project.connection()));
    addRoute(
        ImportJobs.uploadRoute(project),
        UPLOAD_TEMPLATE,
        Map.of("project", project.project(), "connection", project.connection()));
    addRoute(
        Replay.route(project),
        REPLAY_TEMPLATE,
        Map.of("project", project.project(), "connection", project.connection()));
    addRoute(pollRoute(project), POLL_TEMPLATE, parameters());
    if (project.schedule().cron().isPresent()) {
      addSchedule(around, project.schedule().cron().get());
    }
  }

  private void addRoute(String id, String template, Map<String, Object> parameters)
      throws Exception {
    routes.add(id);
    context.addRouteFromTemplate(id, template, parameters);
  }

  /** True while attempts of its jobs run on this node. */
  public boolean isBusy() {
    return routes.stream()
        .filter(id -> !id.equals(pollRoute(project)))
        .anyMatch(id -> context.getInflightRepository().size(id) > 0);
  }

  /** Takes its routes and beans away; what launches jobs goes first. */
  void remove() throws Exception {
    ModelCamelContext model = (ModelCamelContext) context;
    Collections.reverse(routes);
    for (String id : routes) {
      if (context.getRoute(id) != null) {
        context.getRouteController().stopRoute(id, STOP_SECONDS, TimeUnit.SECONDS);
        context.removeRoute(id);
      }
      RouteDefinition definition = model.getRouteDefinition(id);
      if (definition != null) {
        model.removeRouteDefinition(definition);
      }
    }
    beans.forEach(context.getRegistry()::unbind);
    close();
  }

  private void addSchedule(Surroundings around, String cron) throws Exception {
    String name = ImportJobs.route(project);
    ScheduleConfig config = project.schedule();
    schedule =
        new Schedule(
            name,
            cron,
            config.zone(),
            config.runMissed() ? Schedule.Misfire.RUN_ONCE : Schedule.Misfire.SKIP,
            () -> imports.request(new ImportParameters(List.of(), false)),
            around.fires(),
            Clock.systemUTC());
    addRoute(
        "schedule-" + project.project(),
        SCHEDULE_TEMPLATE,
        Map.of(
            "name",
            name,
            "cron",
            cron,
            "timeZone",
            config.zone().getId(),
            "schedule",
            bind("schedule", schedule)));
  }

  /** When it is imported, if it is not polled. */
  public Optional<Schedule> schedule() {
    return Optional.ofNullable(schedule);
  }

  /** Name of the database that its rows go to. */
  public String connection() {
    return project.connection();
  }

  /** Moves its loaded files away. */
  public FileMover mover() {
    return mover;
  }

  /** Loads records of it that were refused and fixed. */
  public Replay replay() {
    return replay;
  }

  /**
   * The files that an import would load, and their first rows, as JSON.
   *
   * @throws CaravanException when the server cannot be asked
   */
  public String preview() {
    return preview.files();
  }

  /**
   * The SQL that an import would run on the definitions of its tables, as JSON.
   *
   * @throws CaravanException when server or database cannot be asked, or a file cannot be loaded
   */
  public String plan() {
    return preview.ddl();
  }

  /** Its jobs, to be launched by somebody else than the poll. */
  public ImportJobs jobs() {
    return imports;
  }

  @Override
  public void close() {
    source.close();
  }

  private void bindParts(Uploads uploads) throws IOException {
    ImportJournal journal = new ImportJournal(tenant, project.project(), jobs);
    SftpFileGate gate = new SftpFileGate(project::covers, journal);
    bind("gate", gate);
    bind("pollStrategy", new SftpPollStrategy(gate, journal, Clock.systemUTC()));
    bind("jobs", imports);
    bind("files", new ImportFiles(project, source, gate, jobs));
    DataSource target =
        context.getRegistry().lookupByNameAndType(project.connection(), DataSource.class);
    preview = new ImportPreview(project, source, target);
    bind("loadPlanner", new LoadPlanner(project));
    bind("fileRecorder", new FileRecorder(jobs, mover::effects));
    bind("uploads", new ImportUploads(tenant, uploads));
    bind("uploadRecorder", new FileRecorder(jobs, (job, file) -> List.of()));
    bind("end", new ImportEnd());
    replay = new Replay(project, target, imports);
    bind("replay", replay);
    bind("replayRecorder", new FileRecorder(jobs, (job, file) -> List.of()));
    bind("knownHosts", knownHosts());
  }

  private String bind(String part, Object bean) {
    String name = project.project() + "." + part;
    context.getRegistry().bind(name, bean);
    beans.add(name);
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
    parameters.put("host", server.host());
    parameters.put("port", server.port());
    parameters.put("username", server.username());
    parameters.put("directory", sftp.remotePath());
    parameters.put("authentications", server.keyPath().isPresent() ? "publickey" : "password");
    parameters.put("polls", project.schedule().cron().isEmpty());
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
