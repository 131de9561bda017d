package dev.caravan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs with right and with wrong credentials; then every secret is looked for everywhere. */
class CanaryTest {

  private static final String ISSUER = "https://issuer.example";

  @TempDir Path folder;

  /** What must not be found, by its name. */
  private final Map<String, String> secrets = new ConcurrentHashMap<>();

  /** Where one was found, with its name. */
  private final Map<String, String> found = new ConcurrentHashMap<>();

  private TestCaravan caravan;

  private String secret(String name, String value) {
    secrets.put(name, value);
    return value;
  }

  private void search(String place, String text) {
    secrets.forEach(
        (name, value) -> {
          int at = text.indexOf(value);
          if (at >= 0) {
            found.putIfAbsent(
                place + ": " + name,
                text.substring(Math.max(0, at - 200), Math.min(text.length(), at + 100)));
          }
        });
  }

  /** The same, also for values of the type bytea. */
  private void searchRows(String place, List<String> rows) {
    String text = String.join("\n", rows);
    search(place, text);
    secrets.forEach(
        (name, value) -> {
          String hex = HexFormat.of().formatHex(value.getBytes(StandardCharsets.UTF_8));
          if (text.contains(hex)) {
            found.put(place + ": " + name, "as bytes");
          }
        });
  }

  /** Everything that is logged at DEBUG and above, searched as it comes. */
  private final class Log extends AbstractAppender implements AutoCloseable {

    private final AtomicInteger events = new AtomicInteger();
    private final LoggerContext context = LoggerContext.getContext(false);
    private final LoggerConfig root = context.getConfiguration().getRootLogger();
    private final Level before = root.getLevel();
    private final Map<String, Appender> others = Map.copyOf(root.getAppenders());

    Log() {
      super("canary", null, null, true, Property.EMPTY_ARRAY);
      start();
      others.keySet().forEach(root::removeAppender); // the console would have all of it
      root.addAppender(this, null, null);
      root.setLevel(Level.DEBUG);
      context.updateLoggers();
    }

    @Override
    public void append(LogEvent event) {
      events.incrementAndGet();
      search("log of " + event.getLoggerName(), event.getMessage().getFormattedMessage());
      search("thread", event.getThreadName());
      for (Throwable e = event.getThrown(); e != null; e = e.getCause()) {
        search("log of " + event.getLoggerName(), e + Arrays.toString(e.getSuppressed()));
      }
    }

    @Override
    public void close() {
      root.removeAppender(getName());
      root.setLevel(before);
      others.values().forEach(other -> root.addAppender(other, null, null));
      context.updateLoggers();
      stop();
    }
  }

  private HttpResponse<String> answered(HttpResponse<String> answer) {
    search("answer of " + answer.uri(), answer.body() + answer.headers().map());
    return answer;
  }

  private JsonNode post(Api api, String path, String json) {
    return Api.json(answered(api.post(path, json)));
  }

  /** Tests have a configuration of their own. */
  @Test
  void theLogOfTheProgramLeavesOutWhatTheLogOfTestsDoes() throws Exception {
    for (String file : List.of("main/resources/log4j2", "test/resources/log4j2-test")) {
      assertThat(Files.readString(Path.of("src/" + file + ".properties")))
          .contains(
              "logger.settings.name = org.apache.camel.component.properties\nlogger.settings.level = info",
              "logger.context.name = org.apache.camel.impl.engine.DefaultCamelContextExtension\nlogger.context.level = info");
    }
  }

  @Test
  void noSecretIsFoundAnywhere() throws Exception {
    Path remote = Files.createDirectories(folder.resolve("remote/in"));
    Files.writeString(remote.resolve("a.csv"), "id,v\n1,x\n2\n");
    String password = secret("SFTP password", "canary-sftp-right");
    EmbeddedSftpServer server =
        EmbeddedSftpServer.start(remote.getParent(), folder.resolve("key"), 0, "u", password);
    Map<String, String> received = new ConcurrentHashMap<>();
    HttpServer receiver = receiver(received);
    RSAKey signer = new RSAKeyGenerator(2048).keyID("r1").generate();
    Path jwks = Files.createTempFile("caravan-test", ".json");
    Files.writeString(jwks, new JWKSet(List.of(signer)).toPublicJWKSet().toString());
    TestDatabase database = TestDatabase.create();
    try (Log log = new Log()) {
      caravan = TestCaravan.start(database, folder, settings(jwks, receiver));
      try {

        Api admin = login(signer);

        badConnections(admin);
        assertThat(connects(admin, database, "caravan")).isTrue();
        // takes 10 s, for a database may be starting
        CompletableFuture<Boolean> wrongUser =
            CompletableFuture.supplyAsync(() -> connects(admin, database, "nobody"));

        String good = "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook";
        assertThat(imported(admin, server, "right", password, good)).isEqualTo("completed");

        String wrong = secret("wrong SFTP password", "canary-sftp-wrong");
        assertThat(imported(admin, server, "wrong", wrong, good)).isEqualTo("failed");

        await().atMost(Duration.ofSeconds(20)).until(() -> received.size() == 2);

        received.forEach(this::search);
        assertThat(wrongUser.join()).isFalse();
        lookEverywhere(admin);

      } finally {
        caravan.close();
      }
      assertThat(log.events.get()).as("events at DEBUG").isGreaterThan(1_000);
    } finally {
      receiver.stop(0);
      server.close();
      Files.delete(jwks);
    }

    searchFiles();

    assertThat(found).isEmpty();
    search("the check itself", "x" + password + "x");
    assertThat(found).hasSize(1);
  }

  private static HttpServer receiver(Map<String, String> received) throws IOException {
    HttpServer receiver =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext(
        "/",
        call -> {
          String body = new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          received.put("webhook " + received.size(), call.getRequestHeaders().entrySet() + body);
          call.sendResponseHeaders(204, -1);
          call.close();
        });
    receiver.start();
    return receiver;
  }

  private Map<String, String> settings(Path jwks, HttpServer receiver) throws IOException {
    Map<String, String> settings = new HashMap<>();
    settings.put(
        "caravan.database.password", secret("password of Caravan's database", "canary-db-own"));
    settings.put("caravan.secrets.key", secret("encryption key", Secrets.newKey()));
    String webhook =
        Base64.getEncoder()
            .encodeToString("canary-webhook-secret-32-bytes!!".getBytes(StandardCharsets.UTF_8));
    settings.put("caravan.webhook.secret", "whsec_" + secret("webhook secret", webhook));
    settings.put("caravan.webhook.allow", "127.0.0.1:" + receiver.getAddress().getPort());
    settings.put("caravan.management.port", String.valueOf(FreePort.find()));
    settings.put("caravan.connections.allow", "127.0.0.0/8,localhost");
    settings.put("caravan.jwt.jwks-url", jwks.toUri().toURL().toString());
    settings.put("caravan.jwt.issuer", ISSUER);
    settings.put("caravan.jwt.audience", "caravan");
    for (String key : List.of("client-id", "secret-id", "username", "travel-datasource")) {
      settings.put("caravan.providers.tableau." + key, "x");
    }
    settings.put("caravan.providers.tableau.server-url", "https://tableau.example");
    settings.put(
        "caravan.providers.tableau.secret-value",
        secret("Tableau's secret", "canary-tableau-".repeat(4)));
    return settings;
  }

  /** A key that a token of the issuer has made; wrong ones of both kinds are refused. */
  private Api login(RSAKey signer) throws Exception {
    SignedJWT token =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("r1").build(),
            new JWTClaimsSet.Builder()
                .issuer(ISSUER)
                .audience("caravan")
                .subject("u1")
                .expirationTime(Date.from(Instant.now().plusSeconds(300)))
                .claim("tenant", "default")
                .claim("role", "admin")
                .build());
    token.sign(new RSASSASigner(signer));
    String jwt = token.serialize();
    secret("signature of a JWT", jwt.substring(jwt.lastIndexOf('.') + 1));
    Api bearer = caravan.anybody().with("Authorization", "Bearer " + jwt);
    HttpResponse<String> made =
        bearer.post("/api/v1/keys", "{\"name\":\"canary\",\"role\":\"admin\"}");
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    String key = Api.json(made).at("/key").asText(); // this one answer shows it
    secret("API key", key.substring(key.indexOf('_', 4) + 1));
    String wrong = secret("wrong API key", "canary-".repeat(7).substring(0, 43));
    for (String credential :
        List.of("cvn_aaaaaaaaaaaa_" + wrong, wrong, jwt.replace(".", "x."), "a." + wrong + ".c")) {
      Api other = caravan.anybody().with("Authorization", "Bearer " + credential);
      assertThat(answered(other.get("/api/v1/jobs")).statusCode()).isEqualTo(401);
    }
    return caravan.anybody().with("X-API-Key", key);
  }

  /** Whether a new connection of that user can log in. */
  private boolean connects(Api admin, TestDatabase database, String user) {
    String address = database.url().replaceFirst("^jdbc:postgresql://([^?]*)[?].*", "$1");
    String password = secret("database password of " + user, "canary-db-" + user);
    String url = "postgresql://" + user + ":" + password + "@" + address;
    String body = "{\"name\":\"%s\",\"database_url\":\"%s\"}".formatted(user, url);
    String id = post(admin, "/api/v1/connections", body).at("/id").asText();
    String path = "/api/v1/connections/" + id;
    JsonNode tried = Api.json(answered(admin.send("POST", path + "/test")));
    answered(admin.get(path));
    return tried.at("/ok").booleanValue();
  }

  private void badConnections(Api admin) {
    String password = secret("password in a URL that is refused", "canary-db-refused");
    String refused =
        "{\"name\":\"r\",\"database_url\":\"postgresql://u:%s@10.0.0.1:99999/d?x=y\"}"
            .formatted(password);
    answered(admin.post("/api/v1/connections", refused));
    answered(admin.post("/api/v1/connections", refused.replace("}", "")));
  }

  /** How the import of a new project ends. */
  private String imported(
      Api admin, EmbeddedSftpServer server, String name, String password, String callback) {
    String hostKey = server.knownHostsLine().replaceFirst("^\\S+ ", "").strip();
    String project =
        """
        {"project": "%s", "connection": "caravan", "schedule": {"cron": "0 0 0 1 1 ? 2099"},
         "sftp": {"host": "127.0.0.1", "port": %d, "username": "u", "password": "%s",
           "host_key": "%s", "remote_path": "/in", "stable_seconds": 0},
         "tables": [{"file_pattern": "*.csv", "target_table": "t", "primary_key": "id"}]}"""
            .formatted(name, server.port(), password, hostKey);
    HttpResponse<String> made = answered(admin.post("/api/v1/projects", project));
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    answered(admin.post("/api/v1/projects", project.replace("\"u\"", "[]")));
    answered(admin.send("POST", "/api/v1/projects/" + name + "/preview"));
    String path =
        "/api/v1/jobs/"
            + post(
                    admin,
                    "/api/v1/import",
                    "{\"project\":\"%s\",\"callback_url\":\"%s\"}".formatted(name, callback))
                .at("/job_id")
                .asText();
    JsonNode job =
        await()
            .atMost(Duration.ofSeconds(30))
            .until(() -> Api.json(answered(admin.get(path))), j -> !j.at("/completed_at").isNull());
    for (String more : List.of("/log", "/rejects", "/deliveries", "/events")) {
      answered(admin.get(path + more));
    }
    return job.at("/status").asText();
  }

  private void lookEverywhere(Api admin) throws Exception {
    for (String path :
        List.of("/keys", "/jobs", "/projects", "/projects/wrong", "/connections", "/health")) {
      assertThat(answered(admin.get("/api/v1" + path)).statusCode()).isEqualTo(200);
    }
    for (String table :
        caravan.texts("SELECT tablename FROM pg_tables WHERE schemaname = 'caravan'")) {
      List<String> rows = caravan.texts("SELECT t::text FROM caravan.\"" + table + "\" t");
      searchRows("table " + table, rows);
    }
    assertThat(caravan.texts("SELECT name FROM caravan.connection")).contains("caravan", "nobody");
    searchRows("pg_stat_activity", caravan.texts("SELECT a::text FROM pg_stat_activity a"));
    Thread.getAllStackTraces().keySet().forEach(t -> search("thread", t.getName()));
    Map<String, String> attributes = attributes();
    assertThat(attributes).hasSizeGreaterThan(500);
    assertThat(attributes.keySet().toString())
        .contains("import-sftp", "poll-sftp", "zaxxer.hikari");
    attributes.forEach((name, value) -> search("JMX " + name, value));
  }

  /** What every MBean of this process says, not only what the console may see. */
  private static Map<String, String> attributes() throws JMException {
    MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    Map<String, String> all = new TreeMap<>();
    for (ObjectName name : beans.queryNames(null, null)) {
      for (MBeanAttributeInfo attribute : beans.getMBeanInfo(name).getAttributes()) {
        try {
          Object value = beans.getAttribute(name, attribute.getName());
          all.put(name + " " + attribute.getName(), Arrays.deepToString(new Object[] {value}));
        } catch (JMException | RuntimeException e) {
          all.put(name + " " + attribute.getName(), String.valueOf(e));
        }
      }
    }
    return all;
  }

  private void searchFiles() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        search(
            "file " + folder.relativize(file),
            new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      }
    }
  }
}
