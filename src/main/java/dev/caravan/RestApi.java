package dev.caravan;

import dev.caravan.access.ApiKey;
import dev.caravan.access.Authenticator;
import dev.caravan.access.JwtBearer;
import dev.caravan.access.Role;
import dev.caravan.access.jdbc.ApiKeys;
import dev.caravan.database.TenantReads;
import dev.caravan.imports.FileMover;
import dev.caravan.inspection.Backlog;
import dev.caravan.inspection.Hawtio;
import dev.caravan.inspection.Jolokia;
import dev.caravan.inspection.Metrics;
import dev.caravan.job.jdbc.JobQueue;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.job.jdbc.QueueBacklog;
import dev.caravan.outbox.Outbox;
import dev.caravan.outbox.webhook.JobWebhook;
import dev.caravan.upload.Uploads;
import dev.caravan.web.HealthApi;
import dev.caravan.web.JobsApi;
import dev.caravan.web.KeysApi;
import dev.caravan.web.ManagementServer;
import dev.caravan.web.UploadsApi;
import dev.caravan.web.WebServer;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.camel.CamelContext;

/** Who may call, the two servers that they call, and the calls that only read. */
final class RestApi {

  private final Configuration configuration;
  private final Started started;
  private final Databases databases;
  private final TenantReads reads;
  private final JobReports reports;
  private final Uploads uploads;
  private final Authenticator authenticator;
  private final WebServer web;
  private final List<Object> apis = new ArrayList<>();

  /** Prepares it; nobody is listened to yet. */
  RestApi(Configuration configuration, CamelContext context, Started started, Databases databases)
      throws SQLException {
    this.configuration = configuration;
    this.started = started;
    this.databases = databases;
    reads = TenantReads.prepare(databases.api());
    if (!reads.guarded()) {
      started
          .out()
          .println(
              "The database login may not make the role %1$s: row-level security does not stand behind the API, only the predicates of its queries. As a superuser: CREATE ROLE %1$s NOLOGIN; GRANT %1$s TO <login>;"
                  .formatted(TenantReads.ROLE));
    }
    ApiKeys keys = new ApiKeys(databases.api(), reads);
    makeFirstKey(keys);
    uploads = new Uploads(databases.openForUploads(), configuration.node());
    uploads.discardUnfinished();
    reports = new JobReports(reads);
    answering(new JobsApi(reports), new HealthApi(reports), new KeysApi(keys));
    authenticator = new Authenticator(keys, configuration.jwt().map(JwtBearer::new));
    Configuration.Http http = configuration.http();
    web =
        started.push(
            WebServer.create(
                context,
                http.host(),
                http.port(),
                http.corsOrigins(),
                authenticator,
                new UploadsApi(uploads, uploadLimits()),
                reports));
  }

  /** There is no default credential: the first start makes one and shows it this once. */
  private void makeFirstKey(ApiKeys keys) throws SQLException {
    ApiKey key = ApiKey.create();
    Path file = configuration.data().resolve("admin.key");
    boolean embedded = configuration.database().isEmpty();
    if (keys.createFirst("default", "first admin", key)) {
      started.address("API key", key.secret() + " (admin; shown this once)");
      if (embedded) {
        SecretFile.replace(file, key.secret());
      }
    }
    if (embedded && Files.exists(file)) {
      started.address("API key", "in " + file);
    }
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

  /** Objects whose methods answer calls of the document. */
  void answering(Object... more) {
    apis.addAll(List.of(more));
  }

  /** Adds the routes of all calls, once everything that answers them is there. */
  void addRoutes(CamelContext context) {
    try {
      context.addRoutes(web.routes(apis));
    } catch (Exception e) {
      throw new IllegalStateException("The routes of the REST API cannot be added", e);
    }
  }

  /** Reads of one tenant's rows. */
  TenantReads reads() {
    return reads;
  }

  /** What jobs did. */
  JobReports reports() {
    return reports;
  }

  /** Files that callers have sent. */
  Uploads uploads() {
    return uploads;
  }

  /** From now on calls are answered. */
  void listen(Metrics metrics) {
    web.listen();
    started.address(
        "REST API",
        "http://%s:%d/docs (any name, the API key as password)"
            .formatted(configuration.http().host(), configuration.http().port()));
    if (configuration.managementPort() != 0) {
      startManagement(configuration.managementPort(), metrics);
    }
  }

  private void startManagement(int port, Metrics metrics) {
    metrics.observe(
        new Backlog(
            new QueueBacklog(databases.api()),
            new Outbox(databases.api()),
            configuration.jobs().queues().stream().map(JobQueue.Limit::queue).toList(),
            List.of(FileMover.KIND, JobWebhook.KIND)));
    Jolokia jolokia = started.push(new Jolokia());
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
    started.address(
        "Inspection", "http://127.0.0.1:%d/hawtio and /metrics (login as above)".formatted(port));
  }

  /** Answers no more calls. */
  void close() {
    web.close();
  }
}
