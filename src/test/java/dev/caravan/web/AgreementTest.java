package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialects;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The document that is served, and what the routes really answer. */
class AgreementTest {

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static TestCaravan caravan;
  private static Api admin;
  private static JsonNode document;
  private static SchemaRegistry schemas;

  @BeforeAll
  static void start() throws Exception {
    caravan = TestCaravan.start(DATABASE, folder);
    admin = caravan.as("default", Role.ADMIN);
    document = Api.json(admin.get("/openapi.json"));
    JsonNode strict = document.deepCopy();
    closeObjects(strict.at("/components/schemas"));
    closeObjects(strict.at("/paths"));
    SchemaRegistryConfig config =
        SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build();
    schemas =
        SchemaRegistry.withDialect(
            Dialects.getOpenApi31(),
            builder ->
                builder
                    .schemaRegistryConfig(config)
                    .schemas(Map.of("urn:strict", strict.toString())));
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  /** What the document does not name must not be in an answer; for callers it stays open. */
  private static void closeObjects(JsonNode node) {
    if (node.path("type").asText().equals("object")
        && node.path("properties").isObject()
        && !node.has("allOf")) {
      ((ObjectNode) node).put("additionalProperties", false);
    }
    node.forEach(AgreementTest::closeObjects);
  }

  /** Compares an answer with the schema of its status. */
  private static HttpResponse<String> agreed(
      String method, String template, HttpResponse<String> answer) {
    JsonNode responses =
        document.at(
            pointer("paths", template, method.toLowerCase(java.util.Locale.ROOT), "responses"));
    String status = String.valueOf(answer.statusCode());
    String key = responses.has(status) ? status : "default";
    assertThat(responses.has(key)).as("%s %s answers %s", method, template, status).isTrue();
    JsonNode reference = responses.get(key).path("$ref");
    String at =
        reference.isTextual()
            ? reference.textValue().substring(1)
            : pointer(
                "paths", template, method.toLowerCase(java.util.Locale.ROOT), "responses", key);
    JsonNode content = document.at(at).path("content");
    String type = answer.headers().firstValue("Content-Type").orElse("").replaceAll(";.*", "");
    if (content.isMissingNode()) {
      assertThat(answer.body()).isEmpty();
      return answer;
    }
    assertThat(content.has(type)).as("%s %s %s: %s", method, template, status, type).isTrue();
    if (type.endsWith("json")) {
      Schema schema =
          schemas.getSchema(
              SchemaLocation.of(
                  "urn:strict#" + at + "/content/" + type.replace("/", "~1") + "/schema"));
      assertThat(schema.validate(Api.json(answer))).as(answer.body()).isEmpty();
    }
    return answer;
  }

  private static String pointer(String... names) {
    StringBuilder pointer = new StringBuilder();
    for (String name : names) {
      pointer.append('/').append(name.replace("~", "~0").replace("/", "~1"));
    }
    return pointer.toString();
  }

  @Test
  void everyAnswerIsAsTheDocumentHasIt() throws Exception {
    String job = UUID.randomUUID().toString();
    new Sql(DATABASE.url(), null, null)
        .execute(
            """
            WITH j AS (
              INSERT INTO caravan.job
                (id, kind, project, state, attempt, node, started_at, completed_at, code, message)
              VALUES ('%s', 'import-sftp', 'p', 'failed', 1, 'n', now(), now(), 'ENCODING', 'm')
              RETURNING id),
            f AS (INSERT INTO caravan.job_load (job_id, load_id, label, project, table_name, status)
              SELECT id, id, 'f.csv', 'p', 't', 'failed' FROM j)
            INSERT INTO caravan.job_error (job_id, attempt, code, message)
            SELECT id, 1, 'ENCODING', 'm' FROM j"""
                .formatted(job));
    for (String path :
        List.of(
            "/health/live",
            "/health/ready",
            "/api/v1/health",
            "/api/v1/jobs",
            "/api/v1/keys",
            "/api/v1/statistics/days",
            "/api/v1/sync/modules")) {
      assertThat(agreed("GET", path, admin.get(path)).statusCode()).isEqualTo(200);
    }
    String ofJob = "/api/v1/jobs/{job_id}";
    assertThat(agreed("GET", ofJob, admin.get(ofJob.replace("{job_id}", job))).statusCode())
        .isEqualTo(200);
    agreed("GET", ofJob, admin.get(ofJob.replace("{job_id}", "x")));
    agreed("GET", ofJob, caravan.anybody().get(ofJob.replace("{job_id}", job)));
    agreed("GET", ofJob + "/rejects", admin.get("/api/v1/jobs/" + job + "/rejects"));
    agreed("GET", "/api/v1/jobs", admin.get("/api/v1/jobs?limit=0"));
  }

  @Test
  void aKeyIsMadeShownOnceUsedAndRevoked() {
    HttpResponse<String> made =
        agreed(
            "POST",
            "/api/v1/keys",
            admin.post(
                "/api/v1/keys",
                "{\"name\":\"n8n\",\"role\":\"operator\",\"expires_at\":\"2099-01-01T00:00:00Z\"}"));
    assertThat(made.statusCode()).isEqualTo(201);
    String id = Api.json(made).at("/id").asText();
    String secret = Api.json(made).at("/key").asText();
    assertThat(made.headers().firstValue("Location")).hasValue("/api/v1/keys/" + id);
    Api operator = caravan.anybody().with("X-API-Key", secret);
    assertThat(operator.get("/api/v1/jobs").statusCode()).isEqualTo(200);
    HttpResponse<String> shown =
        agreed("GET", "/api/v1/keys/{id}", admin.get("/api/v1/keys/" + id));
    assertThat(shown.body()).contains("operator").doesNotContain(secret);
    assertThat(admin.get("/api/v1/keys").body()).contains(id).doesNotContain(secret);
    HttpResponse<String> gone =
        agreed("DELETE", "/api/v1/keys/{id}", admin.send("DELETE", "/api/v1/keys/" + id));
    assertThat(gone.statusCode()).isEqualTo(204);
    org.awaitility.Awaitility.await()
        .atMost(java.time.Duration.ofSeconds(5))
        .until(() -> operator.get("/api/v1/jobs").statusCode() == 401);
    assertThat(
            agreed(
                    "DELETE",
                    "/api/v1/keys/{id}",
                    admin.send("DELETE", "/api/v1/keys/" + UUID.randomUUID()))
                .statusCode())
        .isEqualTo(404);
    for (String time : List.of("2001-01-01T00:00:00Z", "2098-12-31T23:59:60Z", "tomorrow")) {
      String body = "{\"name\":\"n\",\"role\":\"viewer\",\"expires_at\":\"" + time + "\"}";
      HttpResponse<String> refused = admin.post("/api/v1/keys", body);
      assertThat(agreed("POST", "/api/v1/keys", refused).statusCode()).as(time).isEqualTo(422);
    }
  }

  @Test
  void noKeyRevokesItself() {
    Api other = caravan.as("self", Role.ADMIN);
    String id = Api.json(other.get("/api/v1/keys")).at("/keys/0/id").asText();
    HttpResponse<String> answer =
        agreed("DELETE", "/api/v1/keys/{id}", other.send("DELETE", "/api/v1/keys/" + id));
    assertThat(answer.statusCode()).isEqualTo(409);
    assertThat(other.get("/api/v1/keys").statusCode()).isEqualTo(200);
  }

  @Test
  void everyCallSaysWhoMayCallAndHasAProblemForTheRest() {
    int calls = 0;
    for (JsonNode path : document.get("paths")) {
      for (JsonNode operation : path) {
        if (operation.has("operationId")) {
          calls++;
          assertThat(operation.path("x-role").asText())
              .isIn("anyone", "viewer", "operator", "admin");
          assertThat(operation.has("x-coming")).isFalse();
          assertThat(operation.path("summary").asText()).endsWith(".");
        }
      }
    }
    assertThat(calls).isEqualTo(ApiDocument.load().operations().size());
  }

  @Test
  void pagesComeFromOurselvesAndAskForTheKeyAsABrowserDoes() {
    HttpResponse<String> refused = caravan.anybody().get("/docs");
    assertThat(refused.statusCode()).isEqualTo(401);
    assertThat(refused.headers().firstValue("WWW-Authenticate"))
        .hasValue("Basic realm=\"Caravan\"");
    String login = "me:" + caravan.key("default", Role.VIEWER);
    Api browser =
        caravan
            .anybody()
            .with(
                "Authorization",
                "Basic "
                    + Base64.getEncoder()
                        .encodeToString(login.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    for (String path : new Pages(ApiDocument.load()).paths()) {
      HttpResponse<String> page = browser.get(path);
      assertThat(page.statusCode()).as(path).isEqualTo(200);
      assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
          .contains("script-src 'self';");
      if (page.headers().firstValue("Content-Type").orElse("").startsWith("text/html")) {
        assertThat(page.body()).doesNotContain("http:", "https:", "onload", "<style");
      }
    }
    assertThat(browser.get("/api/v1/jobs").statusCode()).isIn(401, 429);
    assertThat(browser.send("POST", "/docs").statusCode()).isEqualTo(405);
    for (String path :
        List.of(
            "/docs/", "/docs/../application.properties", "/docs/pom.xml", "/docs/%2e%2e/x", "/")) {
      assertThat(admin.get(path).statusCode()).as(path).isEqualTo(404);
    }
  }
}
