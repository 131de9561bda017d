package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.job.Retry;
import dev.caravan.job.camel.FileRecorder;
import dev.caravan.job.camel.RejectReplay;
import dev.caravan.job.camel.Schedule;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.ScheduleFires;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ScheduleConfig;
import dev.caravan.project.SftpConfig.Download;
import dev.caravan.project.SftpConfig.Links;
import dev.caravan.project.SftpServer;
import dev.caravan.setup.SftpOverrides;
import dev.caravan.source.sftp.SftpFileGate;
import dev.caravan.source.sftp.SftpPollStrategy;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.upload.Uploads;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;

/**
 * The import of one project: its beans and its two routes, one that polls and launches jobs and one
 * that does them.
 */
public final class SftpImport implements AutoCloseable {

  private static final String JOB_TEMPLATE = "import-sftp";
  private static final String GIVEN_TEMPLATE = "import-given";
  private static final String REPLAY_TEMPLATE = "replay-rejects";
  private static final String SCHEDULE_TEMPLATE = "schedule";

  private final CamelContext context;
  private final String tenant;
  private final ProjectConfig project;
  private final SftpSource source;
  private final FileMover mover;
  private final ImportJobs imports;
  private final JdbcJobRepository jobs;
  private final List<String> routes = new ArrayList<>();
  private final List<String> beans = new ArrayList<>();
  private PollRoute poll;
  private Schedule schedule;
  private ImportPreview preview;
  private Replay replay;
  private GivenFiles given;

  /**
   * What the imports of all projects share.
   *
   * @param context has the templates, and the projects' connections as beans
   * @param defaultServer for a project that names none
   * @param defaultKnownHosts for a project that names a server but no host key
   * @param overrides servers that single imports name instead of their project's
   * @param localFiles folder that has one for each tenant, whose files imports may name
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
      SftpOverrides overrides,
      Optional<Path> localFiles,
      Retry retry,
      Duration timeout) {}

  private SftpImport(Surroundings around, String tenant, ProjectConfig project) {
    this.context = around.context();
    this.project =
        project.withSftp(project.sftp().at(project.sftp().server().orElse(around.defaultServer())));
    this.jobs = around.jobs();
    this.source =
        new SftpSource(
            () -> poll.endpoint(),
            project.sftp().download() == Download.TEMP_FILE,
            project.sftp().links() == Links.ANYWHERE,
            Clock.systemUTC());
    this.mover = new FileMover(tenant, project, source, jobs);
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
    bindParts(around);
    addRoute(
        ImportJobs.route(project),
        JOB_TEMPLATE,
        Map.of("project", project.project(), "connection", project.connection()));
    addRoute(
        ImportJobs.givenRoute(project),
        GIVEN_TEMPLATE,
        Map.of("project", project.project(), "connection", project.connection()));
    addRoute(
        Replay.route(project),
        REPLAY_TEMPLATE,
        Map.of("project", project.project(), "connection", project.connection()));
    poll =
        PollRoute.add(
            context,
            pollRoute(project),
            project,
            around.defaultKnownHosts(),
            project.schedule().cron().isEmpty());
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
    return routes.stream().anyMatch(id -> context.getInflightRepository().size(id) > 0);
  }

  /** Takes its routes and beans away; what launches jobs goes first. */
  void remove() throws Exception {
    if (poll != null) {
      poll.remove();
    }
    Collections.reverse(routes);
    for (String id : routes) {
      Routes.remove(context, id);
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

  /** Files that calls name. */
  public GivenFiles given() {
    return given;
  }

  /** Its jobs, to be launched by somebody else than the poll. */
  public ImportJobs jobs() {
    return imports;
  }

  @Override
  public void close() {
    source.close();
  }

  private void bindParts(Surroundings around) {
    ImportJournal journal = new ImportJournal(tenant, project.project(), jobs);
    SftpFileGate gate =
        new SftpFileGate(
            project::covers,
            journal,
            new SftpFileGate.Rules(
                project.sftp().doneMarker().isPresent(),
                project.sftp().stable(),
                project.sftp().links() == Links.ANYWHERE),
            System::nanoTime);
    bind("gate", gate);
    bind("pollStrategy", new SftpPollStrategy(gate, journal, Clock.systemUTC()));
    bind("jobs", imports);
    DataSource target =
        context.getRegistry().lookupByNameAndType(project.connection(), DataSource.class);
    LoadOrder order = new LoadOrder(project, target);
    bind("files", new ImportFiles(project, source, gate, order, jobs));
    preview = new ImportPreview(project, source, target);
    bind("loadPlanner", new LoadPlanner(project));
    bind("fileRecorder", new FileRecorder(jobs, mover::effects));
    given = new GivenFiles(around, tenant, project, order);
    bind("given", given);
    bind("givenRecorder", new FileRecorder(jobs, (job, file) -> List.of()));
    bind("end", new ImportEnd());
    replay = new Replay(project, imports);
    bind("replay", new RejectReplay(target, replay::refused));
    bind("replayRecorder", new FileRecorder(jobs, (job, file) -> List.of()));
  }

  private String bind(String part, Object bean) {
    String name = project.project() + "." + part;
    context.getRegistry().bind(name, bean);
    beans.add(name);
    return "#bean:" + name;
  }
}
