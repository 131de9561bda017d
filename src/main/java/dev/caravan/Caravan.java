package dev.caravan;

import dev.caravan.cli.CaravanCommand;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.imports.FileAgreement;
import dev.caravan.imports.FileMover;
import dev.caravan.imports.Imports;
import dev.caravan.imports.MoveFiles;
import dev.caravan.imports.SftpImport;
import dev.caravan.inspection.Metrics;
import dev.caravan.job.Effect;
import dev.caravan.job.JobRequest;
import dev.caravan.job.camel.FailedLoad;
import dev.caravan.job.camel.JobControl;
import dev.caravan.job.camel.JobRoutePolicyFactory;
import dev.caravan.job.camel.RejectReplay;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.camel.Schedules;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.JobLog;
import dev.caravan.job.jdbc.JobObserver;
import dev.caravan.job.jdbc.JobQueue;
import dev.caravan.job.jdbc.JobReports.FileLoad;
import dev.caravan.job.jdbc.ScheduleFires;
import dev.caravan.job.queue.JobEngine;
import dev.caravan.job.queue.JobThreads;
import dev.caravan.outbox.Outbox;
import dev.caravan.outbox.OutboxTask;
import dev.caravan.outbox.webhook.CallbackUrls;
import dev.caravan.outbox.webhook.JobWebhook;
import dev.caravan.outbox.webhook.WebhookHandler;
import dev.caravan.outbox.webhook.WebhookSigner;
import dev.caravan.project.SftpServer;
import dev.caravan.provider.ProviderFiles;
import dev.caravan.setup.StoredProject;
import dev.caravan.setup.jdbc.ProjectFileTable;
import dev.caravan.source.entry.UploadedFiles;
import dev.caravan.source.sftp.SftpLogin;
import dev.caravan.source.sftp.SftpSessions;
import dev.caravan.sync.ModuleSync;
import dev.caravan.sync.SyncReplay;
import dev.caravan.sync.SyncSchedules;
import dev.caravan.sync.jdbc.Ingestions;
import dev.caravan.sync.jdbc.SyncObserver;
import dev.caravan.upload.StoredUpload;
import dev.caravan.web.ImportApi;
import dev.caravan.web.JobActionsApi;
import dev.caravan.web.RejectsApi;
import dev.caravan.web.SyncApi;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.camel.support.jsse.TrustAllTrustManager;

/**
 * The program: what the settings leave open is started embedded, every project becomes a route, and
 * the files are loaded as they come.
 */
public final class Caravan implements AutoCloseable {

  private static final int EXIT_USAGE = 2;

  /** For jobs that do several things at once; what is beyond waits for none, see JobThreads. */
  private static final int JOB_THREADS = 64;

  /** What contracts write when jobs end or are done again. */
  private static final List<JobObserver> OBSERVERS = List.of(new SyncObserver());

  /** What the operator has to set right. */
  private static final Set<FailureCode> SETTINGS =
      EnumSet.of(FailureCode.CONFIG_INVALID, FailureCode.SECRET_UNREADABLE);

  /** Nodes show every two seconds which project files they have. */
  private static final Duration SHORTEST_SILENCE = Duration.ofSeconds(10);

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
    main.configure().addRoutesBuilder(new ProviderFiles());
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
      return SETTINGS.contains(known.code()) ? EXIT_USAGE : 1;
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

    private final Started started;
    private final Metrics metrics = new Metrics();
    private Configuration configuration;
    private ProjectFiles projectFiles;
    private Databases databases;
    private JdbcJobRepository jobs;
    private RestApi api;
    private TenantSetup setup;
    private SftpServer defaultServer;
    private JobEngine engine;
    private CallbackUrls callbackUrls;
    private Imports imports;
    private FileAgreement agreement;
    private Schedules schedules;
    private SyncReplay syncReplay;

    Lifecycle(PrintStream out) {
      started = new Started(out);
    }

    @Override
    public void beforeInitialize(BaseMainSupport main) {
      CamelContext context = main.getCamelContext();
      configuration = Configuration.read(context.getPropertiesComponent());
      started.push(metrics);
      projectFiles = ProjectFiles.read(configuration);
      requireFreePort(
          "caravan.http.port", configuration.http().host(), configuration.http().port());
      requireFreePort("caravan.management.port", "127.0.0.1", configuration.managementPort());
      SecretFile.keepFolder(configuration.data());
      databases = new Databases(configuration, context, started);
      try {
        prepareJobs();
        api = new RestApi(configuration, context, started, databases);
        context.getRegistry().bind("uploadedFiles", (UploadedFiles) this::open);
        setup =
            new TenantSetup(
                configuration,
                context,
                started,
                databases,
                api,
                projectFiles.shown(),
                () -> imports);
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Cannot prepare Caravan's own tables: " + e.getMessage(), e);
      }
      defaultServer = configuration.sftp().orElseGet(this::startSftpServer);
      SftpLogin.secureDefaults();
      context
          .getRegistry()
          .bind("jobRoutePolicyFactory", new JobRoutePolicyFactory(jobs, configuration.retry()));
      context.getRegistry().bind("failedLoad", new FailedLoad());
      context.getRegistry().bind("jobThreads", started.push(new JobThreads(JOB_THREADS)));
      metrics.observe(context);
    }

    private static void requireTrust(CamelContext context) {
      SSLContextParameters tls = context.getSSLContextParameters();
      if (tls != null
          && tls.getTrustManagers() != null
          && tls.getTrustManagers().getTrustManager() instanceof TrustAllTrustManager) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "camel.ssl.trustAllCertificates: certificates are always verified; give the one to trust with camel.ssl.trustStore.");
      }
    }

    private void prepareJobs() throws SQLException {
      jobs =
          new JdbcJobRepository(
              databases.queue(),
              configuration.node(),
              Lifecycle::addEffect,
              List.of(new FileTable(started.out()), metrics),
              OBSERVERS);
      JobLogAppender appender =
          JobLogAppender.attach(new JobLog(databases.queue()), configuration.node());
      started.push(appender::stop);
      int closed = jobs.closeInterrupted();
      if (closed > 0) {
        started.out().println(closed + " jobs were running when Caravan ended; they are closed.");
      }
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

    private static void addEffect(Connection connection, UUID job, Effect effect)
        throws SQLException {
      if (effect.kind().equals(Effect.CALLBACK)) {
        JobWebhook.add(connection, job, effect.payload());
      } else {
        Outbox.add(connection, job, effect.kind(), effect.payload(), effect.delay());
      }
    }

    private void startQueue(CamelContext context) {
      Configuration.Jobs settings = configuration.jobs();
      Configuration.Webhooks webhooks = configuration.webhooks();
      callbackUrls = new CallbackUrls(webhooks.allow(), webhooks.ports());
      WebhookHandler webhook =
          new WebhookHandler(callbackUrls, new WebhookSigner(webhooks.secrets()));
      started.push(webhook);
      Duration silence = settings.heartbeat().multipliedBy(JobEngine.MISSED_HEARTBEATS);
      agreement =
          new FileAgreement(
              new ProjectFileTable(
                  databases.queue(),
                  configuration.node(),
                  silence.compareTo(SHORTEST_SILENCE) < 0 ? SHORTEST_SILENCE : silence),
              projectFiles.shown());
      MoveFiles files = new MoveFiles(key -> imports.find(key), agreement::left);
      OutboxTask outbox =
          new OutboxTask(
              new Outbox(databases.queue()),
              configuration.node(),
              Map.of(FileMover.KIND, files, FileMover.CHECK_KIND, files, JobWebhook.KIND, webhook),
              JobEngine.EFFECTS_AT_ONCE);
      try {
        engine =
            new JobEngine(
                databases.queue(),
                new JobQueue(databases.queue(), jobs),
                new RouteWork(context, jobs, agreement::left),
                new JobEngine.Settings(
                    configuration.node(),
                    settings.queues(),
                    settings.heartbeat(),
                    settings.noProgress(),
                    settings.retention()),
                List.of(outbox.task()),
                List.of(() -> schedules.catchUp(), api.uploads()::sweep),
                List.of(setup.pools()::refresh, () -> imports.agree()));
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Cannot start the queue: " + e.getMessage(), e);
      }
    }

    /** Null when there is no such project. */
    private DataSource target(String project) throws SQLException {
      return project.equals(ModuleSync.PROJECT)
          ? databases.main()
          : imports.find(project).map(SftpImport::connection).map(databases::named).orElse(null);
    }

    /** Empty when there is no such project. */
    private Optional<JobRequest> replay(FileLoad load) throws SQLException {
      return load.project().equals(ModuleSync.PROJECT)
          ? Optional.of(syncReplay.request(load))
          : imports.find(load.project()).map(found -> found.replay().request(load));
    }

    private void prepareSync(CamelContext context) {
      ModuleSync.Settings settings =
          new ModuleSync.Settings(
              Configuration.MAIN_CONNECTION, configuration.retry(), configuration.jobs().timeout());
      ModuleSync sync =
          new ModuleSync(
              context, new Ingestions(databases.main(), api.reads()), settings, engine::wake);
      api.answering(new SyncApi(sync));
      syncReplay = new SyncReplay(context, databases.main(), settings);
      context.getRegistry().bind("syncReplay", new RejectReplay(syncReplay::refused));
      SyncSchedules syncSchedules = new SyncSchedules(sync, settings);
      context.getRegistry().bind("syncSchedules", syncSchedules);
      if (configuration.syncSchedules().isPresent()) {
        addSchedules(syncSchedules, configuration.syncSchedules().get());
      }
    }

    private Optional<InputStream> open(UUID upload) throws SQLException, IOException {
      Optional<StoredUpload> stored = api.uploads().find(ModuleSync.TENANT, upload);
      return stored.isEmpty() ? Optional.empty() : Optional.of(api.uploads().open(upload));
    }

    private void addSchedules(SyncSchedules syncSchedules, Path file) {
      try {
        syncSchedules.add(
            schedules, file, new ScheduleFires(databases.queue(), configuration.node()));
      } catch (CaravanException e) {
        throw new CaravanException(
            e.code(), "caravan.sync.schedules: %s: %s".formatted(file, e.getMessage()), e);
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
        started.address(
            "SFTP",
            "sftp -P %d caravan@127.0.0.1 (embedded; password in %s); its folder is %s"
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
      requireTrust(context);
      schedules = new Schedules(context);
      startQueue(context);
      prepareSync(context);
      JobLauncher launcher =
          new JobLauncher(
              databases.api(), configuration.jobs().queuedPerTenant(), engine::wake, OBSERVERS);
      SftpImport.Surroundings around =
          new SftpImport.Surroundings(
              databases::named,
              started.push(
                  new SftpSessions(
                      context, Duration.ofSeconds(configuration.sftpSilenceSeconds()))),
              setup.hosts(),
              defaultServer,
              configuration.knownHosts(),
              jobs,
              launcher,
              new ScheduleFires(databases.queue(), configuration.node()),
              api.uploads(),
              setup.overrides(),
              configuration.importFolder(),
              configuration.retry(),
              configuration.jobs().timeout());
      imports = started.push(new Imports(context, around, setup.projects(), schedules, agreement));
      imports.bind(context.getRegistry());
      prepareJobCalls(context, launcher);
      projectFiles.projects().forEach(imports::addOfFile);
    }

    private void prepareJobCalls(CamelContext context, JobLauncher launcher) {
      api.answering(
          new RejectsApi(api.reports(), this::target, this::replay, launcher, setup.waits()),
          new JobActionsApi(
              api.reports(),
              launcher,
              new JobControl(jobs, databases::named),
              new Outbox(databases.api()),
              setup.waits()),
          new ImportApi(
              api.reports(), launcher, callbackUrls, imports, api.uploads(), setup.waits()));
      api.addRoutes(context);
    }

    @Override
    public void beforeStop(BaseMainSupport main) {
      if (api != null) {
        api.close();
      }
    }

    @Override
    public void afterStart(BaseMainSupport main) {
      agree();
      engine.start();
      schedules.start();
      imports.start();
      api.listen(metrics);
      started.address(
          "JMX",
          "process %d, domain org.apache.camel, context caravan"
              .formatted(ProcessHandle.current().pid()));
      started.address("Log", configuration.data().resolve("logs/caravan.log").toString());
      started.out().println();
      started.out().println("Caravan runs. Projects: " + projectFiles.times());
      for (StoredProject project : projectFiles.shown()) {
        agreement.problem(project.key()).ifPresent(started.out()::println);
      }
      started.showAddresses();
    }

    /** Before anything of a project runs. */
    private void agree() {
      try {
        imports.agree();
      } catch (SQLException e) {
        throw new CaravanException(
            FailureCode.DB_ERROR, "Cannot compare the project files with other nodes'", e);
      }
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

    private void close() {
      stopWork();
      started.close();
    }
  }
}
