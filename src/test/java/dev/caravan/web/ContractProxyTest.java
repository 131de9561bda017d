package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.Role;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.Prism;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A client that reaches Caravan through a proxy which compares both sides with the document, and is
 * not of our making: nothing that Caravan answers is otherwise than it says.
 */
class ContractProxyTest {

  private static final ApiDocument DOCUMENT = ApiDocument.load();
  private static final String VIOLATIONS = "sl-violations";

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static EmbeddedSftpServer server;
  private static TestCaravan caravan;
  private static Prism prism;
  private static Api anybody;
  private static Api admin;

  /** Calls that were answered as their callers wished. */
  private final Set<String> served = new TreeSet<>();

  @BeforeAll
  static void start() throws Exception {
    Path remote = Files.createDirectories(folder.resolve("remote/look"));
    Files.writeString(remote.resolve("a.csv"), "id,v\n1,x\n2,y,z\n");
    Path inbox = Files.createDirectory(folder.resolve("inbox"));
    Files.writeString(
        inbox.resolve("heads.csv"), "sciper,centre_financier,function,fte\n1,F,P,1\n");
    Files.writeString(
        inbox.resolve("bad.csv"), "sciper,centre_financier,function,fte\n1,F,P,1\n2,F\n");
    Files.writeString(inbox.resolve("factors.csv"), "name,value,unit,source\nvegan,0.4,kg,x\n");
    server =
        EmbeddedSftpServer.start(folder.resolve("remote"), folder.resolve("key"), 0, "u", "pw");
    caravan =
        TestCaravan.start(
            DATABASE,
            folder,
            Map.of(
                "caravan.secrets.key", Secrets.newKey(),
                "caravan.connections.allow", "127.0.0.0/8,localhost",
                "caravan.providers.csv.folder", inbox.toString()));
    Sql sql = new Sql(DATABASE.url(), null, null);
    sql.execute("INSERT INTO module_types VALUES (2, 'headcount')");
    sql.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025)");
    sql.execute("INSERT INTO modules (id, inventory_id, module_type_id) VALUES (2, 7, 2)");
    sql.execute("INSERT INTO factor_types VALUES (5, 2, 'meals')");
    Path description = folder.resolve("openapi.json");
    Files.writeString(description, caravan.as("default", Role.VIEWER).get("/openapi.json").body());
    prism = Prism.start(description, caravan.anybody().base().toString());
    anybody = new Api(prism.url(), Map.of());
    admin = new Api(prism.url(), caravan.as("default", Role.ADMIN).headers());
  }

  @AfterAll
  static void stop() throws Exception {
    if (prism != null) {
      prism.close();
    }
    caravan.close();
    server.close();
  }

  private static HttpResponse<String> send(Api api, String method, String path, String json) {
    return json == null
        ? api.send(method, path)
        : api.with("Content-Type", "application/json")
            .send(method, path, json.getBytes(StandardCharsets.UTF_8));
  }

  /** A call that succeeds, without any violation on either side. */
  private HttpResponse<String> good(Api api, String method, String path, String json) {
    return good(method, path, send(api, method, path, json));
  }

  private HttpResponse<String> good(String method, String path, HttpResponse<String> answer) {
    assertThat(answer.headers().firstValue(VIOLATIONS)).as("%s %s", method, path).isEmpty();
    assertThat(answer.statusCode())
        .as("%s %s: %s", method, path, answer.body())
        .isBetween(200, 299);
    serves(method, path);
    return answer;
  }

  /**
   * The same where there is no content: the proxy says that it has 0 bytes, which Java's client
   * refuses.
   */
  private void done(String method, String path, String json) throws IOException {
    HttpURLConnection call = (HttpURLConnection) prism.url().resolve(path).toURL().openConnection();
    call.setRequestMethod(method);
    admin.headers().forEach(call::setRequestProperty);
    if (json != null) {
      call.setRequestProperty("Content-Type", "application/json");
      call.setDoOutput(true);
      call.getOutputStream().write(json.getBytes(StandardCharsets.UTF_8));
    }
    assertThat(call.getHeaderField(VIOLATIONS)).as("%s %s", method, path).isNull();
    assertThat(call.getResponseCode()).as("%s %s", method, path).isEqualTo(204);
    serves(method, path);
  }

  private void serves(String method, String path) {
    DOCUMENT.at(path.replaceAll("\\?.*", "")).stream()
        .filter(operation -> operation.method().equals(method))
        .forEach(operation -> served.add(method + " " + operation.template()));
  }

  private HttpResponse<String> get(String path) {
    return good(admin, "GET", path, null);
  }

  private JsonNode post(String path, String json) {
    return Api.json(good(admin, "POST", path, json));
  }

  /** A call that is refused, in the way that the document has for it. */
  private static void refused(Api api, String method, String path, String json) {
    HttpResponse<String> answer = send(api, method, path, json);
    String violations = answer.headers().firstValue(VIOLATIONS).orElse("");
    assertThat(violations).as("%s %s: %s", method, path, answer).doesNotContain("[\"response\"");
    assertThat(answer.statusCode()).as("%s %s", method, path).isBetween(400, 499);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(Problem.CONTENT_TYPE);
  }

  private static JsonNode awaitEnd(String path, String... ends) {
    return await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> Api.json(caravan.as("default", Role.VIEWER).get(path)),
            job -> Set.of(ends).contains(job.at("/status").asText()));
  }

  @Test
  void servesEveryCallAsTheDocumentSays() throws Exception {
    statesOfCaravan();
    keys();
    connections();
    projects();
    String job = importOfAFolder();
    rejects(job);
    jobs(job);
    uploads();
    syncs();
    done("DELETE", "/api/v1/projects/look", null);
    assertThat(served)
        .containsExactlyInAnyOrderElementsOf(
            DOCUMENT.operations().stream()
                .map(operation -> operation.method() + " " + operation.template())
                .collect(Collectors.toSet()));
  }

  private void statesOfCaravan() {
    for (String path : List.of("/health/live", "/health/ready", "/api/v1/health")) {
      good(anybody, "GET", path, null);
    }
    get("/api/v1/health");
    get("/api/v1/statistics/days?days=2");
  }

  private void keys() throws IOException {
    String id = post("/api/v1/keys", "{\"name\":\"n8n\",\"role\":\"viewer\"}").at("/id").asText();
    get("/api/v1/keys");
    get("/api/v1/keys/" + id);
    done("DELETE", "/api/v1/keys/" + id, null);
    refused(admin, "POST", "/api/v1/keys", "{\"name\":\"a\\u0007\",\"role\":\"viewer\"}");
  }

  private void connections() throws IOException {
    String address = DATABASE.url().replaceFirst("^jdbc:postgresql://([^?]*)[?].*", "$1");
    String body = "{\"name\":\"own\",\"database_url\":\"postgresql://caravan:%s@%s\"}";
    String id = post("/api/v1/connections", body.formatted("x", address)).at("/id").asText();
    String path = "/api/v1/connections/" + id;
    get("/api/v1/connections");
    get(path);
    good(admin, "PUT", path, body.formatted("***", address));
    post(path + "/test", null);
    refused(admin, "POST", "/api/v1/connections", body.formatted("x", address));
    refused(admin, "PUT", path, body.formatted("***", "127.0.0.1:1/d"));
    done("DELETE", path, null);
  }

  private void projects() {
    String body =
        "{\"project\":\"look\",\"connection\":\"warehouse\",\"sftp\":{\"host\":\"127.0.0.1\",\"port\":%d,\"username\":\"u\",\"password\":\"%s\",\"host_key\":\"%s\",\"remote_path\":\"/look\",\"stable_seconds\":0},\"schedule\":{\"cron\":\"0 0 0 1 1 ? 2099\"},\"tables\":[{\"file_pattern\":\"*.csv\",\"target_table\":\"look\",\"primary_key\":\"id\"}]}";
    String key = server.knownHostsLine().replaceFirst("^\\S+ ", "").strip();
    post("/api/v1/projects", body.formatted(server.port(), "pw", key));
    get("/api/v1/projects");
    get("/api/v1/projects/look");
    good(admin, "PUT", "/api/v1/projects/look", body.formatted(server.port(), "***", key));
    post("/api/v1/projects/look/preview", null);
    post("/api/v1/projects/look/plan", null);
    refused(admin, "POST", "/api/v1/projects", body.formatted(server.port(), "pw", key));
    refused(admin, "PUT", "/api/v1/projects/look", body.formatted(1, "***", key));
  }

  private String importOfAFolder() {
    String id = post("/api/v1/import", "{\"project\":\"look\"}").at("/job_id").asText();
    JsonNode job = awaitEnd("/api/v1/jobs/" + id, "completed", "failed");
    assertThat(job.at("/result/rejected").asInt()).as("%s", job).isEqualTo(1);
    refused(admin, "POST", "/api/v1/import", "{\"project\":\"look\",\"if_running\":\"perhaps\"}");
    return id;
  }

  private void rejects(String job) throws IOException {
    String path = "/api/v1/jobs/" + job + "/rejects";
    get(path + "?limit=10");
    get(path + ".csv");
    done("PUT", path + "/3", "{\"raw\":\"2,y\"}");
    get(path);
    post(path + "/replay", null);
  }

  private void jobs(String job) throws Exception {
    String path = "/api/v1/jobs/" + job;
    get("/api/v1/jobs?limit=1");
    get("/api/v1/jobs?status=completed");
    get(path);
    get(path + "/log");
    get(path + "/events");
    String delivery =
        await()
            .atMost(Duration.ofSeconds(30))
            .until(
                () -> Api.json(get(path + "/deliveries")).at("/deliveries/0"),
                moved -> moved.at("/state").asText().equals("done"))
            .at("/id")
            .asText();
    post(path + "/deliveries/" + delivery + "/redeliver", null);
    refused(admin, "POST", path + "/retry", null);
    refused(admin, "POST", path + "/cancel", null);
    String waiting = UUID.randomUUID().toString();
    new Sql(DATABASE.url(), null, null)
        .execute(
            "INSERT INTO caravan.job (id, kind, project, state, run_after) VALUES ('%s', 'k', 'p', 'queued', now() + interval '1 h')"
                .formatted(waiting));
    post("/api/v1/jobs/" + waiting + "/cancel", null);
  }

  private void uploads() {
    String path = "/api/v1/uploads?filename=b.csv";
    byte[] csv = "no,key\n5,x\n".getBytes(StandardCharsets.UTF_8);
    HttpResponse<String> raw = admin.with("Content-Type", "text/csv").send("POST", path, csv);
    String id = Api.json(good("POST", path, raw)).at("/upload_id").asText();
    String form =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c.csv\"\r\nContent-Type: text/csv\r\n\r\nid,v\n6,x\n\r\n--b--\r\n";
    HttpResponse<String> part =
        admin
            .with("Content-Type", "multipart/form-data; boundary=b")
            .send("POST", "/api/v1/uploads", form.getBytes(StandardCharsets.UTF_8));
    assertThat(part.statusCode()).isEqualTo(201);
    String json = "{\"project\":\"look\",\"uploads\":[\"%s\"]}".formatted(id);
    HttpResponse<String> launched =
        good(admin.with("Idempotency-Key", "day-1"), "POST", "/api/v1/import", json);
    String job = "/api/v1/jobs/" + Api.json(launched).at("/job_id").asText();
    awaitEnd(job, "failed");
    get(job);
    post(job + "/retry", null);
    refused(admin.with("Idempotency-Key", "x".repeat(256)), "POST", "/api/v1/import", json);
    String other = "{\"project\":\"look\",\"uploads\":[\"%s\"]}".formatted(UUID.randomUUID());
    refused(admin.with("Idempotency-Key", "day-1"), "POST", "/api/v1/import", other);
  }

  private void syncs() {
    get("/api/v1/sync/modules");
    String body = "{\"provider_type\":\"csv_upload\",\"year\":2025,\"config\":{\"file\":\"%s\"}}";
    String entries = "/api/v1/sync/data-entries/2";
    int good = post(entries, body.formatted("heads.csv")).at("/job_id").asInt();
    awaitEnd("/api/v1/sync/status/" + good, "completed");
    get("/api/v1/sync/status/" + good);
    post("/api/v1/sync/factors/2/5", body.formatted("factors.csv"));
    int bad = post(entries, body.formatted("bad.csv")).at("/job_id").asInt();
    awaitEnd("/api/v1/sync/status/" + bad, "failed");
    get("/api/v1/sync/status/" + bad);
    get("/api/v1/sync/history/2?provider_type=csv_upload&limit=5");
    post("/api/v1/sync/retry/" + bad, null);
    refused(admin, "POST", "/api/v1/sync/retry/" + good, null);
    refused(admin, "POST", entries, body.formatted("../heads.csv"));
  }

  @Test
  void refusesEveryCallAsTheDocumentSays() {
    Api viewer = new Api(prism.url(), caravan.as("default", Role.VIEWER).headers());
    for (Operation operation : DOCUMENT.operations()) {
      String method = operation.method();
      String path =
          operation
              .template()
              .replace("{line}", "1")
              .replace("{name}", "none")
              .replaceAll(
                  "\\{[^}]+}",
                  operation.template().contains("/sync/") ? "99" : UUID.randomUUID().toString());
      refused(admin, method, path + "?nonsense=1", null);
      if (operation.role().isPresent()) {
        refused(anybody, method, path, null);
        if (operation.role().get() != Role.VIEWER) {
          refused(viewer, method, path, null);
        }
      }
      if (!path.equals(operation.template()) && !operation.takesBody()) {
        refused(admin, method, path, null);
      }
      if (operation.jsonBody("application/json").isPresent()) {
        refused(admin, method, path, "{\"nonsense\":1}");
        refused(admin, method, path, "[]");
        HttpResponse<String> typed =
            admin.with("Content-Type", "text/plain").send(method, path, new byte[] {'x'});
        assertThat(typed.statusCode()).as(path).isEqualTo(415);
        assertThat(typed.headers().firstValue(VIOLATIONS).orElse(""))
            .doesNotContain("[\"response\"");
      }
    }
  }
}
