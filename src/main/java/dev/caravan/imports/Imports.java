package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Effect;
import dev.caravan.job.camel.RejectReplay;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.camel.Schedule;
import dev.caravan.job.camel.Schedules;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.project.DoneMarker;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ScheduleConfig;
import dev.caravan.project.SftpConfig;
import dev.caravan.project.SftpConfig.Links;
import dev.caravan.setup.Connections;
import dev.caravan.setup.Projects;
import dev.caravan.setup.StoredProject;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpFileGate;
import dev.caravan.source.sftp.SftpPoll;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.spi.Registry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The imports of all projects: those of files, and those that tenants store, which come, change and
 * go while it runs. A job, a call or a move asks for its project when it needs it, and gets it as
 * it is stored then. What polls and what has a schedule is kept up to date by a thread of its own,
 * which nobody waits for; a stored project that cannot run is told as a problem and hurts nobody.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what is scheduled guards itself
public final class Imports implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Imports.class);

  /** Exchange property: whose folder is looked into. */
  private static final String POLLER = "CaravanPoller";

  private static final Duration LOOK_EVERY = Duration.ofSeconds(2);

  private final SftpImport.Surroundings around;
  private final Projects projects;
  private final Schedules schedules;
  private final FileAgreement agreement;
  private final ProducerTemplate route;
  private final Polls polls = new Polls(this::poll);
  private final Map<String, ProjectConfig> ofFiles = new ConcurrentHashMap<>();
  private final Map<String, String> problems = new ConcurrentHashMap<>();
  private final ScheduledExecutorService looking =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "projects");
            thread.setDaemon(true);
            return thread;
          });

  /** As taken over, by key; of the looking thread alone, like what follows. */
  private final Map<String, Long> versions = new HashMap<>();

  private Projects.Mark seen;
  private boolean away;

  /** Guarded by this. */
  private boolean begun;

  /**
   * None runs yet.
   *
   * @param context has the routes
   */
  public Imports(
      CamelContext context,
      SftpImport.Surroundings around,
      Projects projects,
      Schedules schedules,
      FileAgreement agreement) {
    this.around = around;
    this.projects = projects;
    this.schedules = schedules;
    this.agreement = agreement;
    this.route = context.createProducerTemplate();
  }

  /**
   * Adds the import of a project file.
   *
   * @throws CaravanException CONFIG_INVALID when it cannot be started
   */
  public void addOfFile(ProjectConfig project) {
    SftpImport added = new SftpImport(around, Connections.OPERATOR, project, true);
    var unused = added.source(); // its known hosts can be read
    project.schedule().cron().ifPresent(cron -> Schedule.check(project.project(), cron));
    ofFiles.put(project.project(), project);
  }

  /** From now on polls and schedules work, and what is stored is taken over. */
  public void start() {
    synchronized (this) {
      begun = true;
      ofFiles.values().stream()
          .filter(project -> !agreement.left().contains(project.project()))
          .forEach(project -> begin(Connections.OPERATOR, project, true));
    }
    looking.scheduleWithFixedDelay(this::look, 0, LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Leaves to other nodes what they have had another file for, and takes part again. */
  public synchronized void agree() throws SQLException {
    for (String key : agreement.compare()) {
      ProjectConfig project = ofFiles.get(key);
      if (begun && project != null) {
        if (agreement.left().contains(key)) {
          end(key);
        } else {
          begin(Connections.OPERATOR, project, true);
        }
      }
    }
  }

  /**
   * By the project's key; empty when there is no such one.
   *
   * @throws CaravanException when it is stored and cannot be read
   */
  public Optional<SftpImport> find(String key) throws SQLException {
    ProjectConfig ofFile = ofFiles.get(key);
    if (ofFile != null) {
      return Optional.of(new SftpImport(around, Connections.OPERATOR, ofFile, true));
    }
    String tenant = StoredProject.tenantOf(key);
    return projects.config(key).map(project -> new SftpImport(around, tenant, project, false));
  }

  /** As above, of a tenant. */
  public Optional<SftpImport> find(String tenant, String name) throws SQLException {
    return find(StoredProject.key(tenant, name));
  }

  /** Why a project does not run; empty for one that does. */
  public Optional<String> problem(String key) {
    return Optional.ofNullable(problems.get(key)).or(() -> agreement.problem(key));
  }

  /** Something was stored, changed or deleted; it is taken over soon. */
  public void changed() {
    if (!looking.isShutdown()) {
      looking.execute(this::look);
    }
  }

  /** Takes over what was stored, changed or deleted, on whatever node. */
  private void look() {
    try {
      Projects.Mark now = projects.mark();
      if (!now.equals(seen)) {
        takeOver();
        seen = now;
      }
      away = false;
    } catch (SQLException | RuntimeException e) {
      if (!away) {
        LOG.warn("The stored projects could not be looked at: {}", e.toString());
      }
      away = true;
    }
  }

  private void takeOver() throws SQLException {
    Map<String, Long> wanted = projects.versions();
    for (String key : Set.copyOf(versions.keySet())) {
      if (!versions.get(key).equals(wanted.get(key))) {
        end(key);
        versions.remove(key);
        problems.remove(key);
      }
    }
    for (Map.Entry<String, Long> stored : wanted.entrySet()) {
      if (!versions.containsKey(stored.getKey()) && !ofFiles.containsKey(stored.getKey())) {
        takeOver(stored.getKey());
        versions.put(stored.getKey(), stored.getValue());
      }
    }
  }

  private void takeOver(String key) throws SQLException {
    try {
      Optional<ProjectConfig> project = projects.config(key);
      if (project.isPresent()) {
        begin(StoredProject.tenantOf(key), project.get(), false);
        LOG.debug("Project {} is taken over", key);
      }
    } catch (CaravanException e) {
      if (e.code() == FailureCode.DB_UNAVAILABLE) {
        throw e;
      }
      broken(key, e.code() + ": " + e.getMessage());
    } catch (RuntimeException e) {
      broken(key, FailureCode.INTERNAL + ": " + e);
    }
  }

  private void broken(String key, String problem) {
    problems.put(key, problem);
    LOG.error("Project {} cannot run: {}", key, problem);
  }

  private void begin(String tenant, ProjectConfig project, boolean ofFile) {
    SftpImport found = new SftpImport(around, tenant, project, ofFile);
    if (project.schedule().cron().isPresent()) {
      schedules.add(schedule(project));
    } else {
      polls.put(poller(found));
    }
  }

  private void end(String key) {
    polls.remove(key);
    schedules.remove(scheduleName(key));
  }

  private static String scheduleName(String key) {
    return "import-" + key;
  }

  private Schedule schedule(ProjectConfig project) {
    String key = project.project();
    ScheduleConfig config = project.schedule();
    String name = scheduleName(key);
    return new Schedule(
        name,
        config.cron().orElseThrow(),
        config.zone(),
        config.runMissed() ? Schedule.Misfire.RUN_ONCE : Schedule.Misfire.SKIP,
        () -> required(key).jobs().request(new ImportParameters(List.of(), false)),
        around.fires(),
        Clock.systemUTC());
  }

  /** Keeps of the project what a look into an unchanged folder needs. */
  private Poller poller(SftpImport found) {
    String key = found.project().project();
    Optional<DoneMarker> marker = found.project().sftp().doneMarker();
    ImportJournal journal = new ImportJournal(found.tenant(), key, around.jobs());
    SftpConfig sftp = found.project().sftp();
    SftpFileGate gate =
        new SftpFileGate(
            new CoveredNames(() -> required(key).project()),
            journal,
            new SftpFileGate.Rules(sftp.stable(), sftp.links() == Links.ANYWHERE),
            System::nanoTime);
    SftpPoll poll =
        new SftpPoll(
            found.source(),
            (file, names) -> ReadyFiles.isComplete(marker, file, names),
            gate,
            journal,
            Clock.systemUTC());
    return new Poller(found.tenant(), key, sftp.pollInterval(), gate, poll);
  }

  /** What polls or has a schedule may have been deleted a moment ago. */
  private SftpImport required(String key) {
    try {
      return find(key).orElseThrow(() -> FindImport.gone(key));
    } catch (SQLException e) {
      throw FindImport.unreadable(key, e);
    }
  }

  private void poll(Poller poller) {
    Exchange look =
        route.send("direct:poll-sftp", exchange -> exchange.setProperty(POLLER, poller));
    if (look.getException() != null) {
      LOG.warn("Project {}: {}", poller.key(), look.getException().getMessage());
    }
  }

  /** Gives the steps of the routes that all projects share their names. */
  public void bind(Registry steps) {
    JdbcJobRepository jobs = around.jobs();
    steps.bind("listReady", (Processor) Imports::listReady);
    steps.bind("launchImport", (Processor) this::launch);
    steps.bind("findImport", new FindImport(this));
    steps.bind("listImport", new ImportFiles(jobs, key -> polls.find(key).map(Poller::gate)));
    steps.bind("listGiven", (Processor) GivenFiles::list);
    steps.bind("planImport", new LoadPlanner(Imports::effects));
    steps.bind("planGiven", new LoadPlanner((exchange, file) -> List.of()));
    steps.bind("endImport", new ImportEnd());
    steps.bind("replayImport", new RejectReplay(Replay::refused));
  }

  private static void listReady(Exchange exchange) {
    exchange.getMessage().setBody(exchange.getProperty(POLLER, Poller.class).poll().run());
  }

  private void launch(Exchange exchange) {
    String key = exchange.getProperty(POLLER, Poller.class).key();
    required(key).jobs().launch(exchange.getMessage().getBody(FileStamp.class));
  }

  private static List<Effect> effects(Exchange exchange, FileStamp file) {
    UUID job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class).attempt().jobId();
    return SftpImport.of(exchange).mover().effects(job, file);
  }

  @Override
  public void close() {
    looking.shutdownNow();
    polls.close();
    agreement.leave();
    route.stop();
  }
}
