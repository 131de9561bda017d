package dev.caravan;

import dev.caravan.Configuration.DatabaseLogin;
import dev.caravan.access.ApiKey;
import dev.caravan.access.Authenticator;
import dev.caravan.access.JwtBearer;
import dev.caravan.access.Role;
import dev.caravan.access.jdbc.ApiKeys;
import dev.caravan.address.AllowedHosts;
import dev.caravan.cli.CaravanCommand;
import dev.caravan.database.Database;
import dev.caravan.database.TenantReads;
import dev.caravan.embedded.EmbeddedDatabase;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.imports.FileMover;
import dev.caravan.imports.Imports;
import dev.caravan.imports.MoveFiles;
import dev.caravan.imports.SftpImport;
import dev.caravan.inspection.Backlog;
import dev.caravan.inspection.Hawtio;
import dev.caravan.inspection.Jolokia;
import dev.caravan.inspection.Metrics;
import dev.caravan.job.Effect;
import dev.caravan.job.camel.FileRecorder;
import dev.caravan.job.camel.JobControl;
import dev.caravan.job.camel.JobRoutePolicyFactory;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.camel.Schedule;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.JobLog;
import dev.caravan.job.jdbc.JobQueue;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.job.jdbc.QueueBacklog;
import dev.caravan.job.jdbc.ScheduleFires;
import dev.caravan.job.queue.JobEngine;
import dev.caravan.outbox.Outbox;
import dev.caravan.outbox.OutboxTask;
import dev.caravan.outbox.webhook.CallbackUrls;
import dev.caravan.outbox.webhook.JobWebhook;
import dev.caravan.outbox.webhook.WebhookHandler;
import dev.caravan.outbox.webhook.WebhookSigner;
import dev.caravan.pgload.Loader;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ProjectConfigReader;
import dev.caravan.project.SftpServer;
import dev.caravan.secret.Secrets;
import dev.caravan.setup.Connections;
import dev.caravan.setup.Pools;
import dev.caravan.setup.ProjectRules;
import dev.caravan.setup.Projects;
import dev.caravan.setup.StoredConnection;
import dev.caravan.setup.StoredProject;
import dev.caravan.setup.jdbc.ConnectionTable;
import dev.caravan.setup.jdbc.ProjectTable;
import dev.caravan.source.sftp.AbsolutePathSftpComponent;
import dev.caravan.source.sftp.SftpServers;
import dev.caravan.sync.ModuleSync;
import dev.caravan.sync.SyncSchedules;
import dev.caravan.sync.jdbc.Ingestions;
import dev.caravan.upload.Uploads;
import dev.caravan.web.ConnectionsApi;
import dev.caravan.web.FailedCall;
import dev.caravan.web.HealthApi;
import dev.caravan.web.JobActionsApi;
import dev.caravan.web.JobsApi;
import dev.caravan.web.KeysApi;
import dev.caravan.web.ManagementServer;
import dev.caravan.web.ProjectsApi;
import dev.caravan.web.RejectsApi;
import dev.caravan.web.SyncApi;
import dev.caravan.web.UploadsApi;
import dev.caravan.web.WebServer;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.apache.camel.support.DefaultRegistry;

/**
 * The program: what the settings leave open is started embedded, every project becomes a route, and
 * the files are loaded as they come.
 */
public final class Caravan implements AutoCloseable {

  private static final int EXIT_USAGE = 2;
  private static final int QUEUE_SESSIONS = 4;
  private static final Duration API_PATIENCE = Duration.ofMillis(1500);
  private static final int UPLOAD_SESSIONS = 4;

  /**
   * A node that hears nothing of the queue's database for so long looks for another connection, and
   * one that sleeps inside a transaction of it loses that.
   */
  private static final Duration QUEUE_SILENCE = Duration.ofSeconds(10);

  private final Main main = new Main();
  private final Lifecycle lifecycle;

  /**
   * The program, not started yet.
   *
   * @param settings take precedence over {@code application.properties}
   * @param out where the table of files goes
   */
  public Caravan(Map<String, String> settings, PrintStream out) {
    lifecycle = new Lifecycle(out);
    // Camel's own has a hook of the JVM that outlives the context; ours ends it at a signal.
    main.setShutdownStrategy(new SimpleMainShutdownStrategy());
    main.setPropertyPlaceholderLocations(
        Files.exists(Path.of("application.properties"))
            ? "file:application.properties"
            : "classpath:application.properties");
    Properties overrides = new Properties();
    overrides.putAll(settings);
    main.setOverrideProperties(overrides);
    main.addMainListener(lifecycle);
  }

  /**
   * Without arguments the server, which runs until a signal stops it; exit code 2 when the settings
   * are wrong, 1 after another failure. With arguments the command line.
   */
  public static void main(String[] args) throws Exception {
    System.exit(
        args.length > 0 ? CaravanCommand.run(args) : new Caravan(Map.of(), System.out).run());
  }

  private int run() throws Exception {
    // Camel's own hook waits for the context only; the JVM would end before our servers have.
    Runtime.getRuntime().addShutdownHook(new Thread(this::close, "caravan-stop"));
    try {
      return main.run(new String[0]);
    } catch (Exception e) {
      CaravanException known = knownCause(e);
      if (known == null) {
        throw e;
      }
      System.err.println(known.code() + " " + known.getMessage());
      return known.code() == FailureCode.CONFIG_INVALID ? EXIT_USAGE : 1;
    } finally {
      close();
    }
  }

  private static CaravanException knownCause(Throwable e) {
    Throwable cause = e;
    while (cause != null && !(cause instanceof CaravanException)) {
      cause = cause.getCause();
    }
    return (CaravanException) cause;
  }

  /** Starts, and returns when the routes run; nothing is left running when it fails. */
  public Caravan start() throws Exception {
    try {
      main.start();
      lifecycle.afterStart(main); // Main tells its listeners of a start only when it runs
      return this;
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  /** The running context. */
  public CamelContext context() {
    return main.getCamelContext();
  }

  /** Lets running loads finish, then stops what was started. */
  @Override
  public void close() {
    lifecycle.stopWork();
    main.stop();
    lifecycle.close();
  }

  /** Starts and stops what is around the Camel context. */
  private static final class Lifecycle extends MainListenerSupport {

    private final PrintStream out;
    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private final List<String> addresses = new ArrayList<>();
    private Configuration configuration;
    private List<ProjectConfig> projects;
    private final List<StoredProject> projectsOfFiles = new ArrayList<>();
    private SftpServer defaultServer;
    private DatabaseLogin mainLogin;
    private final List<Schedule> schedules = new CopyOnWriteArrayList<>();
    private Database queueDatabase;
    private DataSource apiDatabase;
    private Pools pools;
    private Projects storedProjects;
    private Uploads uploads;
    private Imports imports;
    private JdbcJobRepository jobs;
    private final Metrics metrics = new Metrics();
    private Authenticator authenticator;
    private WebServer web;
    private TenantReads reads;
    private JobReports reports;
    private JobEngine engine;
    private CallbackUrls callbackUrls;

    Lifecycle(PrintStream out) {
      this.out = out;
    }

    @Override
    public void beforeInitialize(BaseMainSupport main) {
      CamelContext context = main.getCamelContext();
      configuration = Configuration.read(context.getPropertiesComponent());
      started.push(metrics);
      projects = readProjects();
      requireFreePort(
          "caravan.http.port", configuration.http().host(), configuration.http().port());
      requireFreePort("caravan.management.port", "127.0.0.1", configuration.managementPort());
      startDatabases(context);
      defaultServer = configuration.sftp().orElseGet(this::startSftpServer);
      SftpServers.secureDefaults();
      context.addComponent("sftp", new AbsolutePathSftpComponent());
      context
          .getRegistry()
          .bind("jobRoutePolicyFactory", new JobRoutePolicyFactory(jobs, configuration.retry()));
      metrics.observe(context);
    }

    private List<ProjectConfig> readProjects() {
      ProjectConfigReader reader = new ProjectConfigReader(System.getenv());
      Map<String, ProjectConfig> read = new TreeMap<>();
      List<String> problems = new ArrayList<>();
      for (Path file : configuration.projectFiles()) {
        try {
          ProjectConfig project = reader.read(file);
          if (!configuration.hasConnection(project.connection())) {
            problems.add(
                "%s: connection: found '%s'; allowed are %s and those of caravan.connections.*"
                    .formatted(file, project.connection(), Configuration.MAIN_CONNECTION));
          }
          projectsOfFiles.add(ofFile(project, reader.shown(file)));
          if (read.put(project.project(), project) != null) {
            problems.add(
                "%s: project: found '%s', which another file is called, too"
                    .formatted(file, project.project()));
          }
        } catch (CaravanException e) {
          problems.add(e.getMessage());
        }
      }
      if (!problems.isEmpty()) {
        throw new CaravanException(FailureCode.CONFIG_INVALID, String.join("\n", problems));
      }
      return List.copyOf(read.values());
    }

    private static StoredProject ofFile(ProjectConfig project, String shown) {
      Instant now = Instant.now();
      return new StoredProject(
          Projects.idOf(project.project()),
          Connections.OPERATOR,
          project.project(),
          Connections.idOf(project.connection()),
          shown,
          0,
          now,
          now,
          true);
    }

    /** Asked before anything is started that takes time. */
    private static void requireFreePort(String key, String host, int port) {
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(host))) {
        socket.setReuseAddress(true);
      } catch (BindException e) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "%s: port %d is taken; set another one.".formatted(key, port),
            e);
      } catch (IOException e) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID, "%s: %s:%d: %s".formatted(key, host, port, e), e);
      }
    }

    private void startDatabases(CamelContext context) {
      mainLogin = configuration.database().orElseGet(this::startDatabase);
      DatabaseLogin login = mainLogin;
      Database main = open(context, Configuration.MAIN_CONNECTION, login);
      main.migrate();
      // A pool of its own: loads that use up their connections must not make the node look dead.
      queueDatabase =
          Database.open(
              "queue",
              login.url(),
              login.username(),
              login.password(),
              QUEUE_SESSIONS,
              QUEUE_SILENCE);
      started.push(queueDatabase);
      jobs =
          new JdbcJobRepository(
              queueDatabase.dataSource(),
              configuration.node(),
              Lifecycle::addEffect,
              List.of(new FileTable(out), metrics));
      JobLog log = new JobLog(queueDatabase.dataSource());
      JobLogAppender appender = JobLogAppender.attach(log, configuration.node());
      started.push(appender::stop);
      closeInterruptedJobs();
      configuration.connections().forEach((name, other) -> open(context, name, other));
      try {
        Database api =
            Database.open(
                "api",
                login.url(),
                login.username(),
                login.password(),
                configuration.maxConnections(),
                QUEUE_SILENCE);
        // A caller is told that the database is away, not kept waiting for it.
        api.dataSource().setConnectionTimeout(API_PATIENCE.toMillis());
        started.push(api);
        apiDatabase = api.dataSource();
        prepareApi(context, apiDatabase);
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Cannot prepare the REST API: " + e.getMessage(), e);
      }
    }

    private void prepareApi(CamelContext context, DataSource database) throws SQLException {
      reads = TenantReads.prepare(database);
      if (!reads.guarded()) {
        out.println(
            "The database login may not make the role %1$s: row-level security does not stand behind the API, only the predicates of its queries. As a superuser: CREATE ROLE %1$s NOLOGIN; GRANT %1$s TO <login>;"
                .formatted(TenantReads.ROLE));
      }
      ApiKeys keys = new ApiKeys(database, reads);
      makeFirstKey(keys);
      prepareSetup(context, database, reads);
      prepareUploads();
      reports = new JobReports(reads);
      context.getRegistry().bind("jobsApi", new JobsApi(reports));
      context.getRegistry().bind("healthApi", new HealthApi(reports));
      context.getRegistry().bind("keysApi", new KeysApi(keys));
      context.getRegistry().bind("failedCall", new FailedCall());
      authenticator = new Authenticator(keys, configuration.jwt().map(JwtBearer::new));
      Configuration.Http http = configuration.http();
      web =
          WebServer.create(
              context,
              http.host(),
              http.port(),
              http.corsOrigins(),
              authenticator,
              new UploadsApi(uploads, uploadLimits()),
              reports);
      started.push(web); // for a start that fails
    }

    private void prepareSetup(CamelContext context, DataSource database, TenantReads reads)
        throws SQLException {
      Secrets secrets = secrets();
      ConnectionTable table = new ConnectionTable(database, reads, secrets);
      table.requireKeys();
      pools =
          new Pools(
              table,
              configuration.allowedHosts(),
              configuration.maxConnections(),
              name -> context.getRegistry().lookupByNameAndType(name, DataSource.class));
      started.push(pools);
      ((DefaultRegistry) context.getRegistry()).addBeanRepository(new ConnectionBeans(pools));
      AllowedHosts hosts = new AllowedHosts(configuration.allowedHosts());
      Connections connections = new Connections(table, ofSettings(), hosts, secrets);
      context.getRegistry().bind("connectionsApi", new ConnectionsApi(connections, pools));
      storedProjects =
          new Projects(
              new ProjectTable(database, reads, secrets),
              projectsOfFiles,
              connections,
              new ProjectRules(
                  hosts,
                  secrets.canEncrypt(),
                  configuration.knownHosts().isPresent(),
                  project ->
                      project
                          .schedule()
                          .cron()
                          .ifPresent(cron -> Schedule.check(project.project(), cron))));
      context.getRegistry().bind("projectsApi", new ProjectsApi(storedProjects, running()));
    }

    private void prepareUploads() throws SQLException {
      Database database =
          Database.open(
              "uploads",
              mainLogin.url(),
              mainLogin.username(),
              mainLogin.password(),
              UPLOAD_SESSIONS);
      started.push(database);
      uploads = new Uploads(database.dataSource(), configuration.node());
      uploads.discardUnfinished();
    }

    /** Metrics, JMX and the console, when there is a port for them. */
    private void startManagement() {
      int port = configuration.managementPort();
      if (port == 0) {
        return;
      }
      metrics.observe(
          new Backlog(
              new QueueBacklog(apiDatabase),
              new Outbox(apiDatabase),
              configuration.jobs().queues().stream().map(JobQueue.Limit::queue).toList(),
              List.of(FileMover.KIND, JobWebhook.KIND)));
      Jolokia jolokia = new Jolokia();
      started.push(jolokia);
      Set<String> get = Set.of("GET");
      Set<String> both = Set.of("GET", "POST");
      started.push(
          ManagementServer.listen(
              port,
              authenticator,
              List.of(
                  new ManagementServer.Part("/metrics", false, Role.VIEWER, get, metrics),
                  new ManagementServer.Part("/jolokia", false, Role.ADMIN, both, jolokia),
                  // as the console calls it
                  new ManagementServer.Part("/jolokia/", false, Role.ADMIN, both, jolokia),
                  new ManagementServer.Part(Hawtio.PATH, true, Role.ADMIN, get, new Hawtio()))));
      addresses.add(
          "Inspection  http://127.0.0.1:%d/hawtio and /metrics (login as above)".formatted(port));
    }

    /** The disk is known when the database is ours; another one tells by failing. */
    private UploadsApi.Limits uploadLimits() {
      File data = configuration.data().toFile();
      boolean embedded = configuration.database().isEmpty();
      return new UploadsApi.Limits(
          configuration.uploads().maxBytes(),
          configuration.uploads().concurrent(),
          () -> embedded ? data.getUsableSpace() : Long.MAX_VALUE);
    }

    private ProjectsApi.Running running() {
      return new ProjectsApi.Running() {
        @Override
        public void changed() throws SQLException {
          imports.sync();
        }

        @Override
        public Optional<String> preview(String tenant, String name) throws SQLException {
          return imports.find(tenant, name).map(SftpImport::preview);
        }

        @Override
        public Optional<String> plan(String tenant, String name) throws SQLException {
          return imports.find(tenant, name).map(SftpImport::plan);
        }
      };
    }

    /** With the embedded database there is a key of this installation's own. */
    private Secrets secrets() {
      if (configuration.secretsKey().isPresent()) {
        return configuration.secretsKey().get();
      }
      if (configuration.database().isPresent()) {
        return Secrets.none();
      }
      try {
        return Secrets.of(
            EmbeddedFolder.secret(configuration.data().resolve("secrets.key"), Secrets::newKey));
      } catch (IOException e) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID, "Cannot read or make the key of secrets: " + e, e);
      }
    }

    private List<StoredConnection> ofSettings() {
      Instant now = Instant.now();
      List<StoredConnection> all = new ArrayList<>();
      Map<String, DatabaseLogin> logins = new TreeMap<>(configuration.connections());
      logins.put(Configuration.MAIN_CONNECTION, mainLogin);
      logins.forEach(
          (name, login) ->
              all.add(
                  new StoredConnection(
                      Connections.idOf(name),
                      Connections.OPERATOR,
                      name,
                      "Of the settings",
                      null,
                      Database.shown(name, login.url()),
                      false,
                      0,
                      now,
                      now,
                      true)));
      return all;
    }

    /** There is no default credential: the first start makes one and shows it this once. */
    private void makeFirstKey(ApiKeys keys) throws SQLException {
      ApiKey key = ApiKey.create();
      Path file = configuration.data().resolve("admin.key");
      boolean embedded = configuration.database().isEmpty();
      if (keys.createFirst("default", "first admin", key)) {
        addresses.add("API key     %s (admin; shown this once)".formatted(key.secret()));
        if (embedded) {
          SecretFile.replace(file, key.secret());
        }
      }
      if (embedded && Files.exists(file)) {
        addresses.add("API key     in " + file);
      }
    }

    private static void addEffect(Connection connection, UUID job, Effect effect)
        throws SQLException {
      if (effect.kind().equals(Effect.CALLBACK)) {
        JobWebhook.add(connection, job, effect.payload());
      } else {
        Outbox.add(connection, job, effect.kind(), effect.payload());
      }
    }

    private void startQueue(CamelContext context) {
      Configuration.Jobs settings = configuration.jobs();
      Configuration.Webhooks webhooks = configuration.webhooks();
      callbackUrls = new CallbackUrls(webhooks.allow(), webhooks.ports());
      WebhookHandler webhook =
          new WebhookHandler(callbackUrls, new WebhookSigner(webhooks.secrets()));
      started.push(webhook);
      OutboxTask outbox =
          new OutboxTask(
              new Outbox(queueDatabase.dataSource()),
              configuration.node(),
              Map.of(
                  FileMover.KIND,
                  new MoveFiles(key -> imports.find(key).map(SftpImport::mover)),
                  JobWebhook.KIND,
                  webhook),
              JobEngine.EFFECTS_AT_ONCE);
      try {
        engine =
            new JobEngine(
                queueDatabase.dataSource(),
                new JobQueue(queueDatabase.dataSource(), jobs),
                new RouteWork(context, jobs, () -> imports.sync()),
                new JobEngine.Settings(
                    configuration.node(),
                    settings.queues(),
                    settings.heartbeat(),
                    settings.noProgress(),
                    settings.retention()),
                List.of(outbox.task()),
                List.of(this::catchUp, uploads::sweep),
                List.of(pools::refresh, () -> imports.sync()));
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Cannot start the queue: " + e.getMessage(), e);
      }
    }

    /** Null when no such project runs here. */
    private DataSource target(CamelContext context, String project) {
      String connection =
          project.equals(ModuleSync.PROJECT)
              ? Configuration.MAIN_CONNECTION
              : imports.find(project).map(SftpImport::connection).orElse(null);
      return connection == null ? null : connection(context, connection);
    }

    private void catchUp() throws SQLException {
      imports.catchUp();
      for (Schedule schedule : schedules) {
        schedule.catchUp();
      }
    }

    private static DataSource connection(CamelContext context, String name) {
      return context.getRegistry().lookupByNameAndType(name, DataSource.class);
    }

    private void prepareSync(CamelContext context) {
      context.getRegistry().bind("loadRecorder", new FileRecorder(jobs, (job, file) -> List.of()));
      ModuleSync.Settings settings =
          new ModuleSync.Settings(
              Configuration.MAIN_CONNECTION, configuration.retry(), configuration.jobs().timeout());
      ModuleSync sync =
          new ModuleSync(
              context,
              new Ingestions(connection(context, Configuration.MAIN_CONNECTION), reads),
              settings,
              engine::wake);
      context.getRegistry().bind("syncApi", new SyncApi(sync));
      SyncSchedules syncSchedules = new SyncSchedules(sync, settings);
      context.getRegistry().bind("syncSchedules", syncSchedules);
      if (configuration.syncSchedules().isPresent()) {
        addSchedules(context, syncSchedules, configuration.syncSchedules().get());
      }
    }

    private void addSchedules(CamelContext context, SyncSchedules syncSchedules, Path file) {
      try {
        schedules.addAll(
            syncSchedules.add(
                context,
                file,
                new ScheduleFires(queueDatabase.dataSource(), configuration.node())));
      } catch (CaravanException e) {
        throw e;
      } catch (Exception e) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "caravan.sync.schedules: %s cannot be started: %s".formatted(file, e.getMessage()),
            e);
      }
    }

    private DatabaseLogin startDatabase() {
      EmbeddedDatabase database =
          EmbeddedDatabase.start(configuration.data(), configuration.embeddedDatabasePort());
      started.push(database);
      addresses.add(
          "PostgreSQL  postgresql://%s@127.0.0.1:%d/caravan (embedded; password in %s)"
              .formatted(
                  database.username(),
                  database.port(),
                  configuration.data().resolve("postgres/caravan.password")));
      return new DatabaseLogin(database.jdbcUrl(), database.username(), database.password());
    }

    private Database open(CamelContext context, String name, DatabaseLogin login) {
      Database database =
          Database.open(
              name,
              login.url(),
              login.username(),
              login.password(),
              configuration.maxConnections(),
              configuration.jobs().timeout().plusMinutes(1)); // no statement of a load is longer
      started.push(database);
      try (Connection connection = database.dataSource().getConnection()) {
        Loader.prepare(connection);
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Connection '%s': %s".formatted(name, e.getMessage()), e);
      }
      context.getRegistry().bind(name, database.dataSource());
      return database;
    }

    private void closeInterruptedJobs() {
      try {
        int closed = jobs.closeInterrupted();
        if (closed > 0) {
          out.println(closed + " jobs were running when Caravan ended; they are closed.");
        }
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Cannot close interrupted jobs: " + e.getMessage(), e);
      }
    }

    private SftpServer startSftpServer() {
      try {
        Path root = configuration.data().resolve("sftp");
        EmbeddedFolder.fillOnFirstStart(root, Path.of("samples"));
        String password = EmbeddedFolder.password(configuration.data().resolve("sftp.password"));
        EmbeddedSftpServer server =
            EmbeddedSftpServer.start(
                root,
                configuration.data().resolve("sftp.hostkey"),
                configuration.embeddedSftpPort(),
                "caravan",
                password);
        started.push(server);
        addresses.add(
            "SFTP        sftp -P %d caravan@127.0.0.1 (embedded; password in %s); its folder is %s"
                .formatted(server.port(), configuration.data().resolve("sftp.password"), root));
        String hostKey = server.knownHostsLine().replaceFirst("^\\S+ ", "");
        return new SftpServer(
            "127.0.0.1",
            server.port(),
            "caravan",
            Optional.of(password),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(hostKey));
      } catch (IOException e) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID, "Cannot prepare the embedded SFTP server: " + e, e);
      }
    }

    @Override
    public void afterConfigure(BaseMainSupport main) {
      CamelContext context = main.getCamelContext();
      startQueue(context);
      prepareSync(context);
      JobLauncher launcher = new JobLauncher(apiDatabase, engine::wake);
      SftpImport.Surroundings around =
          new SftpImport.Surroundings(
              main.getCamelContext(),
              defaultServer,
              configuration.knownHosts(),
              jobs,
              launcher,
              new ScheduleFires(queueDatabase.dataSource(), configuration.node()),
              uploads,
              configuration.retry(),
              configuration.jobs().timeout());
      imports = new Imports(around, storedProjects);
      started.push(imports);
      prepareJobCalls(context, launcher);
      projects.forEach(imports::addOfFile);
      try {
        imports.sync();
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Cannot read the stored projects: " + e.getMessage(), e);
      }
    }

    private void prepareJobCalls(CamelContext context, JobLauncher launcher) {
      context.getRegistry().bind("imports", imports);
      context
          .getRegistry()
          .bind(
              "rejectsApi",
              new RejectsApi(
                  reports,
                  project -> target(context, project),
                  project -> imports.find(project).map(SftpImport::replay).orElse(null),
                  launcher));
      context
          .getRegistry()
          .bind(
              "jobActionsApi",
              new JobActionsApi(
                  reports,
                  launcher,
                  new JobControl(
                      jobs,
                      name -> context.getRegistry().lookupByNameAndType(name, DataSource.class)),
                  new Outbox(apiDatabase),
                  callbackUrls,
                  imports,
                  uploads));
    }

    @Override
    public void beforeStop(BaseMainSupport main) {
      if (web != null) {
        web.close();
      }
    }

    @Override
    public void afterStart(BaseMainSupport main) {
      engine.start();
      web.listen();
      addresses.add(
          "REST API    http://%s:%d/docs (any name, the API key as password)"
              .formatted(configuration.http().host(), configuration.http().port()));
      startManagement();
      addresses.add(
          "JMX         process %d, domain org.apache.camel, context caravan"
              .formatted(ProcessHandle.current().pid()));
      addresses.add("Log         " + configuration.data().resolve("logs/caravan.log"));
      Map<String, String> polled = new TreeMap<>();
      projects.forEach(
          p ->
              polled.put(
                  p.project(),
                  p.schedule()
                      .cron()
                      .map(cron -> "at " + cron + " " + p.schedule().zone())
                      .orElse("every " + p.sftp().pollInterval().toSeconds() + " s")));
      out.println();
      out.println("Caravan runs. Projects: " + polled);
      addresses.forEach(address -> out.println("  " + address));
      out.println();
    }

    @Override
    public void afterStop(BaseMainSupport main) {
      close();
    }

    /** Takes no more jobs; those that run end or are handed back. */
    private synchronized void stopWork() {
      if (engine != null) {
        engine.close();
        engine = null;
      }
    }

    private synchronized void close() {
      stopWork();
      while (!started.isEmpty()) {
        try {
          started.pop().close();
        } catch (Exception e) {
          System.err.println("While stopping: " + e);
        }
      }
    }
  }
}
