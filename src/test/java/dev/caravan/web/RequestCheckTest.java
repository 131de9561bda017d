package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with a request is said before a route runs: one call stands for all. */
class RequestCheckTest {

  private static final String KEYS = "/api/v1/keys";
  private static final String GOOD = "{\"name\":\"n\",\"role\":\"viewer\"}";

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static TestCaravan caravan;
  private static Api admin;

  @BeforeAll
  static void start() throws Exception {
    caravan = TestCaravan.start(DATABASE, folder);
    admin = caravan.as("default", Role.ADMIN).with("Content-Type", "application/json");
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void refused(HttpResponse<String> answer, int status, String code) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(Api.json(answer).at("/error_code").asText()).isEqualTo(code);
    assertThat(answer.body()).doesNotContain("Exception", "\tat ", "com.fasterxml");
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(Problem.CONTENT_TYPE);
  }

  @Test
  void takesOneJsonObjectInUtf8AndNothingElse() {
    byte[] bom = utf8("\uFEFF" + GOOD);
    List<byte[]> bodies =
        List.of(
            new byte[0],
            utf8(" "),
            utf8("null"),
            utf8("[]"),
            utf8("\"x\""),
            utf8("1"),
            utf8("{\"name\":\"n\""),
            utf8("{\"name\":\"n\",\"role\":\"viewer\",}"),
            utf8("{'name':'n'}"),
            utf8("{\"name\":\"n\",\"name\":\"m\",\"role\":\"viewer\"}"),
            utf8(GOOD + GOOD),
            utf8(GOOD + " x"),
            utf8("{\"name\":NaN}"),
            utf8("// c\n" + GOOD),
            bom,
            GOOD.getBytes(StandardCharsets.UTF_16),
            GOOD.getBytes(StandardCharsets.UTF_16LE),
            "{\"name\":\"ü\",\"role\":\"viewer\"}".getBytes(StandardCharsets.ISO_8859_1),
            utf8("{\"a\":".repeat(10_000) + "1" + "}".repeat(10_000)),
            utf8("[".repeat(10_000)));
    for (byte[] body : bodies) {
      refused(admin.send("POST", KEYS, body), 400, "BAD_JSON");
    }
    refused(admin.send("POST", KEYS), 400, "BAD_JSON");
  }

  @Test
  void refusesALargeBodyBeforeItIsAllThere() {
    Instant before = Instant.now();
    String large = "{\"name\":\"" + "x".repeat(10 * 1024 * 1024) + "\"}";
    int status;
    try {
      status = admin.send("POST", KEYS, utf8(large)).statusCode();
    } catch (java.io.UncheckedIOException e) {
      status = 413; // the connection was closed while we still sent
    }
    assertThat(status).isEqualTo(413);
    assertThat(Duration.between(before, Instant.now())).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void namesEachFieldThatIsWrong() {
    HttpResponse<String> answer =
        admin.post(KEYS, "{\"role\":\"root\",\"tenant_id\":\"b\",\"is_admin\":true}");
    refused(answer, 422, "INVALID");
    assertThat(Api.json(answer).at("/errors").findValuesAsText("at"))
        .containsExactlyInAnyOrder("/name", "/role", "/tenant_id", "/is_admin");
  }

  @Test
  void bindsNoFieldThatTheServerOwns() {
    long before = count();
    for (String field :
        List.of(
            "tenant",
            "tenant_id",
            "state",
            "epoch",
            "id",
            "is_admin",
            "created_at",
            "prefix",
            "key_sha256")) {
      String body = GOOD.replace("}", ",\"" + field + "\":\"x\"}");
      refused(admin.post(KEYS, body), 422, "INVALID");
    }
    assertThat(count()).isEqualTo(before);
  }

  private static long count() {
    return Long.parseLong(
        new Sql(DATABASE.url(), null, null).value("SELECT count(*) FROM caravan.api_key"));
  }

  @Test
  void takesOnlyTheTypeThatTheDocumentNames() {
    for (String type :
        List.of(
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/jsonx")) {
      Api api = caravan.as("default", Role.ADMIN).with("Content-Type", type);
      refused(api.send("POST", KEYS, utf8(GOOD)), 415, "UNSUPPORTED_MEDIA_TYPE");
    }
    refused(
        caravan.as("default", Role.ADMIN).send("POST", KEYS, utf8(GOOD)),
        415,
        "UNSUPPORTED_MEDIA_TYPE");
    assertThat(
            caravan
                .as("default", Role.ADMIN)
                .with("Content-Type", "Application/JSON; charset=\"UTF-8\"")
                .send("POST", KEYS, utf8(GOOD))
                .statusCode())
        .isEqualTo(201);
  }

  @Test
  void takesOnlyParametersOfTheCallEachOnce() {
    Map<String, String> wrong =
        Map.of(
            "limit=0", "limit",
            "limit=201", "limit",
            "limit=-1", "limit",
            "limit=x", "limit",
            "limit=9999999999999999999", "limit",
            "limit=1&limit=2", "limit",
            "status=done", "status",
            "cursor=abc", "cursor",
            "tenant=b", "tenant",
            "job_id=1", "job_id");
    wrong.forEach(
        (query, name) -> {
          HttpResponse<String> answer = admin.get("/api/v1/jobs?" + query);
          refused(answer, 400, "BAD_PARAMETER");
          JsonNode error = Api.json(answer).at("/errors/0");
          assertThat(error.at("/at").asText()).isEqualTo(name);
          assertThat(error.at("/in").asText()).isEqualTo("query");
        });
    assertThat(admin.get("/api/v1/jobs?limit=200&status=failed").statusCode()).isEqualTo(200);
  }

  @Test
  void refusesAHeadThatIsTooLarge() {
    assertThat(admin.with("X-Large", "x".repeat(64 * 1024)).get("/api/v1/jobs").statusCode())
        .isEqualTo(431);
    assertThat(admin.get("/api/v1/jobs?cursor=" + "1".repeat(20_000)).statusCode()).isEqualTo(414);
  }

  @Test
  void leadsThroughAllJobsFromPageToPage() throws Exception {
    Sql sql = new Sql(DATABASE.url(), null, null);
    sql.execute(
        """
        INSERT INTO caravan.job (id, kind, project, state, completed_at, tenant)
        SELECT gen_random_uuid(), 'k', 'p' || n, 'completed', now(), 'pages' FROM generate_series(1, 7) n""");
    Api viewer = caravan.as("pages", Role.VIEWER);
    List<String> seen = new java.util.ArrayList<>();
    String next = "";
    while (next != null) {
      JsonNode page = Api.json(viewer.get("/api/v1/jobs?limit=3" + next));
      page.at("/jobs").forEach(job -> seen.add(job.at("/project").asText()));
      next = page.at("/next").isNull() ? null : "&cursor=" + page.at("/next").asText();
    }
    assertThat(seen).containsExactly("p7", "p6", "p5", "p4", "p3", "p2", "p1");
    assertThat(Api.json(viewer.get("/api/v1/jobs?status=failed")).at("/jobs")).isEmpty();
  }
}
