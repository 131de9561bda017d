package dev.caravan;

import dev.caravan.access.JwtTrust;
import dev.caravan.address.AllowedHosts;
import dev.caravan.database.Credentials;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import dev.caravan.job.Retry;
import dev.caravan.job.jdbc.JobQueue;
import dev.caravan.outbox.webhook.CallbackUrls;
import dev.caravan.outbox.webhook.WebhookSigner;
import dev.caravan.project.SftpServer;
import dev.caravan.secret.Secrets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.PatternSyntaxException;
import org.apache.camel.spi.PropertiesComponent;

/**
 * The settings, read and checked as a whole. Their names, defaults and units stand in {@code
 * application.properties}.
 *
 * @param data folder for everything that Caravan keeps itself
 * @param node name of this process among those that share the database
 * @param projectFiles existing files
 * @param database empty for the embedded one
 * @param maxConnections of each pool
 * @param connections further databases by name
 * @param sftp the server of projects that name none; empty for the embedded one
 * @param knownHosts of projects that name a server but no host key
 * @param embeddedDatabasePort 0 for any
 * @param embeddedSftpPort 0 for any
 * @param http where the REST API listens
 * @param managementPort of 127.0.0.1; 0 for none
 * @param jwt whose tokens are taken; empty for none
 * @param retry of jobs that failed for a reason that may pass
 * @param jobs the queue and what jobs may take
 * @param webhooks how and where they go
 * @param secretsKey what encrypts stored secrets; empty for the one of the embedded default
 * @param uploads how much callers may upload
 * @param allowedHosts where connections and projects of the API may go, beside public addresses
 * @param importFolder has a folder for each tenant, whose files imports may name; empty for none
 * @param syncSchedules file of the syncs that are started by the clock; empty for none
 */
record Configuration(
    Path data,
    String node,
    List<Path> projectFiles,
    Optional<DatabaseLogin> database,
    int maxConnections,
    Map<String, DatabaseLogin> connections,
    Optional<SftpServer> sftp,
    Optional<Path> knownHosts,
    int sftpSilenceSeconds,
    int embeddedDatabasePort,
    int embeddedSftpPort,
    Http http,
    int managementPort,
    Optional<JwtTrust> jwt,
    Retry retry,
    Jobs jobs,
    Webhooks webhooks,
    Optional<Secrets> secretsKey,
    Uploads uploads,
    List<String> allowedHosts,
    Optional<Path> importFolder,
    Optional<Path> syncSchedules) {

  /**
   * Where the REST API listens.
   *
   * @param corsOrigins of web pages that may call it from a browser
   */
  record Http(String host, int port, Set<String> corsOrigins) {}

  /**
   * The queue.
   *
   * @param queues what may run at the same time
   * @param queuedPerTenant how many of one tenant may wait in one queue
   * @param timeout of one attempt
   * @param noProgress how long an attempt may stand still while it reads
   * @param heartbeat how often a node shows that it lives
   * @param retention how long ended jobs are kept
   */
  record Jobs(
      List<JobQueue.Limit> queues,
      int queuedPerTenant,
      Duration timeout,
      Duration noProgress,
      Duration heartbeat,
      Duration retention) {}

  /** Where a database is and how to log in; user and password may be in the URL. */
  record DatabaseLogin(String url, String username, String password) {}

  /**
   * How webhooks are signed and where they may go.
   *
   * @param secrets by tenant; none for no signature
   * @param allow as {@link CallbackUrls} reads it
   * @param ports beside 80 and 443
   */
  record Webhooks(Map<String, List<String>> secrets, List<String> allow, Set<Integer> ports) {
    /** Without the secrets. */
    @Override
    public String toString() {
      return "Webhooks[secrets of %s, %s, %s]".formatted(secrets.keySet(), allow, ports);
    }
  }

  /**
   * What callers may upload.
   *
   * @param maxBytes of one file
   * @param concurrent uploads at once
   */
  record Uploads(long maxBytes, int concurrent) {}

  /** True when projects may name it. */
  boolean hasConnection(String name) {
    return name.equals(MAIN_CONNECTION) || connections.containsKey(name);
  }

  /** The name by which projects know the database of {@code caravan.database.url}. */
  static final String MAIN_CONNECTION = "warehouse";

  private static final String WEBHOOK_SECRET = "caravan.webhook.secret";

  private static final Set<String> KEYS =
      new TreeSet<>(
          Set.of(
              "caravan.data",
              "caravan.node",
              "caravan.projects",
              "caravan.providers.files",
              "caravan.database.url",
              "caravan.database.username",
              "caravan.database.password",
              "caravan.database.max-connections",
              "caravan.connections.allow",
              "caravan.secrets.key",
              "caravan.upload.max-bytes",
              "caravan.upload.concurrent",
              "caravan.sftp.url",
              "caravan.sftp.password",
              "caravan.sftp.key-path",
              "caravan.sftp.key-passphrase",
              "caravan.sftp.known-hosts",
              "caravan.sftp.host-key",
              "caravan.sftp.silence-seconds",
              "caravan.embedded.database.port",
              "caravan.embedded.sftp.port",
              "caravan.http.host",
              "caravan.http.port",
              "caravan.http.cors-origins",
              "caravan.management.port",
              "caravan.jwt.jwks-url",
              "caravan.jwt.issuer",
              "caravan.jwt.audience",
              "caravan.jwt.tenant-claim",
              "caravan.jwt.role-claim",
              "caravan.imports.folder",
              "caravan.queues",
              "caravan.job.queued-per-tenant",
              "caravan.sync.schedules",
              "caravan.job.timeout",
              "caravan.job.no-progress",
              "caravan.job.heartbeat",
              "caravan.job.retention",
              "caravan.retry.attempts",
              "caravan.retry.delay",
              "caravan.retry.max-delay",
              WEBHOOK_SECRET,
              "caravan.webhook.allow",
              "caravan.webhook.ports"));

  private static final String TENANT_WEBHOOK_KEY = "caravan[.]webhook[.]secret[.][A-Za-z0-9._-]+";

  private static final String CONNECTION_KEY =
      "caravan[.]connections[.][A-Za-z0-9_-]+[.](url|username|password)";

  /** Settings of a provider are named in its route and checked by the beans that it makes. */
  private static final String PROVIDER_KEY = "caravan[.]providers[.][a-z0-9-]+[.][a-z0-9-]+";

  /**
   * Reads the settings.
   *
   * @throws CaravanException CONFIG_INVALID with all that is wrong, one line for each problem
   */
  static Configuration read(PropertiesComponent properties) {
    return new Reader(properties).read();
  }

  private static final class Reader {

    private final PropertiesComponent properties;
    private final List<String> problems = new ArrayList<>();

    Reader(PropertiesComponent properties) {
      this.properties = properties;
    }

    Configuration read() {
      Properties given = properties.loadProperties(name -> name.startsWith("caravan."));
      refuseUnknown(given.stringPropertyNames());
      Configuration configuration =
          new Configuration(
              path("caravan.data").orElse(Path.of("data")),
              text("caravan.node").orElseGet(Reader::hostName),
              projectFiles(),
              login("caravan.database"),
              number("caravan.database.max-connections", 2, 1_000),
              connections(given.stringPropertyNames()),
              sftp(),
              path("caravan.sftp.known-hosts"),
              number("caravan.sftp.silence-seconds", 1, 3_600),
              number("caravan.embedded.database.port", 0, 65_535),
              number("caravan.embedded.sftp.port", 0, 65_535),
              http(),
              number("caravan.management.port", 0, 65_535),
              jwt(),
              new Retry(
                  1 + number("caravan.retry.attempts", 0, 100),
                  Duration.ofMillis(number("caravan.retry.delay", 0, 3_600_000)),
                  Duration.ofMillis(number("caravan.retry.max-delay", 1, 3_600_000))),
              new Jobs(
                  queues(),
                  number("caravan.job.queued-per-tenant", 1, 1_000_000),
                  Duration.ofSeconds(number("caravan.job.timeout", 1, 604_800)),
                  Duration.ofSeconds(number("caravan.job.no-progress", 1, 604_800)),
                  Duration.ofMillis(number("caravan.job.heartbeat", 100, 60_000)),
                  Duration.ofDays(number("caravan.job.retention", 1, 36_500))),
              webhooks(given.stringPropertyNames()),
              secretsKey(),
              new Uploads(
                  bytes("caravan.upload.max-bytes"), number("caravan.upload.concurrent", 1, 100)),
              allowedHosts(),
              path("caravan.imports.folder"),
              path("caravan.sync.schedules"));
      if (!problems.isEmpty()) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "The settings are wrong:\n  " + String.join("\n  ", problems));
      }
      return configuration;
    }

    private void refuseUnknown(Set<String> names) {
      for (String name : new TreeSet<>(names)) {
        if (!KEYS.contains(name)
            && !name.matches(CONNECTION_KEY)
            && !name.matches(PROVIDER_KEY)
            && !name.matches(TENANT_WEBHOOK_KEY)) {
          problems.add(
              name
                  + ": unknown setting; allowed are "
                  + String.join(", ", KEYS)
                  + ", caravan.connections.NAME.url|username|password, caravan.providers.NAME.KEY, caravan.webhook.secret.TENANT");
        }
      }
    }

    private Optional<String> text(String key) {
      return properties.resolveProperty(key).map(String::strip).filter(s -> !s.isEmpty());
    }

    private Optional<Path> path(String key) {
      try {
        return text(key).map(Path::of);
      } catch (InvalidPathException e) {
        problems.add(key + ": allowed is a path of this machine: " + e.getReason());
        return Optional.empty();
      }
    }

    private int number(String key, int min, int max) {
      String text = text(key).orElse("");
      if (text.matches("[0-9]{1,9}")) {
        int number = Integer.parseInt(text);
        if (number >= min && number <= max) {
          return number;
        }
      }
      problems.add(
          "%s: found '%s'; allowed is a whole number from %d to %d".formatted(key, text, min, max));
      return min;
    }

    private long bytes(String key) {
      String text = text(key).orElse("");
      if (!text.matches("[1-9][0-9]{0,14}")) {
        problems.add("%s: found '%s'; allowed is a number of bytes".formatted(key, text));
        return 1;
      }
      return Long.parseLong(text);
    }

    private Http http() {
      Set<String> origins = new TreeSet<>();
      for (String origin : text("caravan.http.cors-origins").orElse("").split(",", -1)) {
        if (origin.strip().matches("https?://[A-Za-z0-9.-]+(:[0-9]+)?")) {
          origins.add(origin.strip());
        } else if (!origin.isBlank()) {
          problems.add(
              "caravan.http.cors-origins: found '%s'; allowed is https://host or https://host:port"
                  .formatted(origin.strip()));
        }
      }
      return new Http(
          text("caravan.http.host").orElse("127.0.0.1"),
          number("caravan.http.port", 1, 65_535),
          origins);
    }

    private Optional<JwtTrust> jwt() {
      Optional<String> jwks = text("caravan.jwt.jwks-url");
      if (jwks.isEmpty()) {
        return Optional.empty();
      }
      for (String key : List.of("caravan.jwt.issuer", "caravan.jwt.audience")) {
        if (text(key).isEmpty()) {
          problems.add(key + ": missing; without it the tokens of others would be taken, too");
        }
      }
      try {
        return Optional.of(
            new JwtTrust(
                URI.create(jwks.get()).toURL(),
                text("caravan.jwt.issuer").orElse(""),
                text("caravan.jwt.audience").orElse(""),
                text("caravan.jwt.tenant-claim").orElse("tenant"),
                text("caravan.jwt.role-claim").orElse("role")));
      } catch (MalformedURLException | IllegalArgumentException e) {
        problems.add("caravan.jwt.jwks-url: allowed is https://host/path or file:/path");
        return Optional.empty();
      }
    }

    private List<JobQueue.Limit> queues() {
      Map<String, JobQueue.Limit> queues = new TreeMap<>();
      for (String queue : text("caravan.queues").orElse("").split(",", -1)) {
        String[] parts = queue.strip().split(":", -1);
        if (!queue.strip().matches("[a-z0-9-]{1,40}:[1-9][0-9]{0,2}(:[1-9][0-9]{0,2})?")
            || queues.containsKey(parts[0])) {
          problems.add(
              "caravan.queues: found '%s'; allowed are names with how many jobs run at once (1 to 999) and, if it is less, how many of one tenant, such as default:4:3"
                  .formatted(queue.strip()));
        } else {
          int jobs = Integer.parseInt(parts[1]);
          int perTenant = parts.length > 2 ? Integer.parseInt(parts[2]) : jobs;
          queues.put(parts[0], new JobQueue.Limit(parts[0], jobs, perTenant));
        }
      }
      if (problems.isEmpty() && !queues.containsKey("default")) {
        problems.add("caravan.queues: the queue 'default' is missing");
      }
      return List.copyOf(queues.values());
    }

    private Optional<DatabaseLogin> login(String prefix) {
      return text(prefix + ".url")
          .map(
              url ->
                  new DatabaseLogin(
                      url,
                      text(prefix + ".username").orElse(null),
                      text(prefix + ".password").orElse(null)));
    }

    private Map<String, DatabaseLogin> connections(Set<String> names) {
      Map<String, DatabaseLogin> connections = new TreeMap<>();
      for (String name : names) {
        if (name.matches(CONNECTION_KEY)) {
          String connection = name.split("[.]", -1)[2];
          Optional<DatabaseLogin> login = login("caravan.connections." + connection);
          if (connection.equals(MAIN_CONNECTION)) {
            problems.add(name + ": that name is taken by the database of caravan.database.url");
          } else if (login.isEmpty()) {
            problems.add("caravan.connections." + connection + ".url: missing");
          } else {
            connections.put(connection, login.get());
          }
        }
      }
      return connections;
    }

    private Webhooks webhooks(Set<String> names) {
      Set<Integer> ports = new TreeSet<>();
      for (String port : list("caravan.webhook.ports")) {
        if (port.matches("[0-9]{1,5}") && Integer.parseInt(port) <= 65_535) {
          ports.add(Integer.valueOf(port));
        } else {
          problems.add(
              "caravan.webhook.ports: found '%s'; allowed are ports with commas between them"
                  .formatted(port));
        }
      }
      Webhooks webhooks = new Webhooks(webhookSecrets(names), list("caravan.webhook.allow"), ports);
      check("caravan.webhook.allow", () -> new CallbackUrls(webhooks.allow(), ports));
      return webhooks;
    }

    private Map<String, List<String>> webhookSecrets(Set<String> names) {
      Map<String, List<String>> secrets = new TreeMap<>();
      addWebhookSecrets(secrets, JobRequest.OPERATOR, WEBHOOK_SECRET);
      for (String name : names) {
        if (name.matches(TENANT_WEBHOOK_KEY)) {
          addWebhookSecrets(secrets, name.substring(WEBHOOK_SECRET.length() + 1), name);
        }
      }
      return secrets;
    }

    private void addWebhookSecrets(Map<String, List<String>> secrets, String tenant, String key) {
      List<String> own = list(key);
      check(key, () -> new WebhookSigner(Map.of(tenant, own)));
      if (!own.isEmpty()) {
        secrets.put(tenant, own);
      }
    }

    private Optional<Secrets> secretsKey() {
      try {
        return text("caravan.secrets.key").map(Secrets::of);
      } catch (CaravanException e) {
        problems.add("caravan.secrets.key: " + e.getMessage());
        return Optional.empty();
      }
    }

    private List<String> allowedHosts() {
      List<String> allow = list("caravan.connections.allow");
      try {
        new AllowedHosts(allow);
      } catch (IllegalArgumentException e) {
        problems.add("caravan.connections.allow: " + e.getMessage());
      }
      return allow;
    }

    private void check(String key, Runnable reading) {
      try {
        reading.run();
      } catch (CaravanException e) {
        problems.add(key + ": " + e.getMessage());
      }
    }

    private List<String> list(String key) {
      return Arrays.stream(text(key).orElse("").split(",", -1))
          .map(String::strip)
          .filter(s -> !s.isEmpty())
          .toList();
    }

    private List<Path> projectFiles() {
      List<Path> files = new ArrayList<>();
      list("caravan.projects").forEach(pattern -> files.addAll(matching(pattern)));
      return files;
    }

    private List<Path> matching(String pattern) {
      List<Path> files = new ArrayList<>();
      try {
        Path path = Path.of(pattern).toAbsolutePath();
        try (DirectoryStream<Path> found =
            Files.newDirectoryStream(path.getParent(), path.getFileName().toString())) {
          found.forEach(files::add);
        }
      } catch (IOException | InvalidPathException | PatternSyntaxException e) {
        problems.add("caravan.projects: found '%s': %s".formatted(pattern, e));
        return files;
      }
      if (files.isEmpty()) {
        problems.add("caravan.projects: found '" + pattern + "', where there is no file");
      }
      files.sort(null);
      return files;
    }

    private Optional<SftpServer> sftp() {
      Optional<String> url = text("caravan.sftp.url");
      if (url.isEmpty()) {
        return Optional.empty();
      }
      URI uri = sftpUri(url.get());
      Optional<String> password =
          text("caravan.sftp.password")
              .or(() -> Optional.ofNullable(Credentials.of(uri).password()));
      Optional<Path> key = path("caravan.sftp.key-path");
      if (password.isPresent() == key.isPresent()) {
        problems.add("caravan.sftp: allowed is either a password or caravan.sftp.key-path");
      }
      Optional<Path> knownHosts = path("caravan.sftp.known-hosts");
      List<String> hostKeys = text("caravan.sftp.host-key").map(List::of).orElse(List.of());
      if (knownHosts.isPresent() != hostKeys.isEmpty()) {
        problems.add(
            "caravan.sftp: one of caravan.sftp.known-hosts and caravan.sftp.host-key is needed to know the server");
      }
      return Optional.of(
          new SftpServer(
              uri.getHost(),
              uri.getPort() < 0 ? 22 : uri.getPort(),
              Credentials.of(uri).username(),
              password,
              key,
              text("caravan.sftp.key-passphrase"),
              knownHosts,
              hostKeys));
    }

    /** An URL that is wrong is named without its text, which may have a password. */
    private URI sftpUri(String url) {
      URI uri = URI.create("sftp://nobody@localhost");
      try {
        URI given = URI.create(url);
        if ("sftp".equals(given.getScheme())
            && given.getHost() != null
            && given.getUserInfo() != null) {
          return given;
        }
      } catch (IllegalArgumentException e) {
        // named below, as any other URL that is wrong
      }
      problems.add("caravan.sftp.url: allowed is sftp://user@host:port");
      return uri;
    }

    private static String hostName() {
      try {
        return InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException e) {
        return "localhost";
      }
    }
  }
}
