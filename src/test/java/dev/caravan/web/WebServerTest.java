package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.camel.builder.AdviceWith;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Caravan that lets one web page in, and whose list of jobs is broken. */
class WebServerTest {

  @TempDir static Path folder;
  private static TestCaravan caravan;

  @BeforeAll
  static void start() throws Exception {
    caravan =
        TestCaravan.start(
            TestDatabase.create(),
            folder,
            Map.of("caravan.http.cors-origins", "https://app.example"));
    AdviceWith.adviceWith(
        caravan.context(),
        "listJobs",
        route ->
            route
                .weaveAddFirst()
                .throwException(new IllegalStateException("at db.secret.example")));
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  @Test
  void aRouteThatThrowsAnswersWithAProblemThatSaysNothingOfIt() {
    HttpResponse<String> answer = caravan.as("default", Role.VIEWER).get("/api/v1/jobs");
    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue(Problem.CONTENT_TYPE);
    assertThat(Api.json(answer).at("/error_code").asText()).isEqualTo("INTERNAL");
    assertThat(answer.body()).doesNotContain("secret", "Exception");
    assertThat(answer.headers().map().toString()).doesNotContain("secret", "Camel", "job_id");
  }

  @Test
  void onlyPagesOfTheListMayCallFromABrowser() {
    Api page =
        caravan
            .anybody()
            .with("Origin", "https://app.example")
            .with("Access-Control-Request-Method", "GET")
            .with("Access-Control-Request-Headers", "authorization");
    HttpResponse<String> preflight = page.send("OPTIONS", "/api/v1/jobs");
    assertThat(preflight.statusCode()).isEqualTo(204);
    assertThat(preflight.headers().firstValue("Access-Control-Allow-Origin"))
        .hasValue("https://app.example");
    assertThat(preflight.headers().firstValue("Access-Control-Allow-Credentials")).isEmpty();
    for (String origin : List.of("https://app.example.evil", "http://app.example", "null")) {
      HttpResponse<String> refused =
          caravan.as("default", Role.VIEWER).with("Origin", origin).get("/api/v1/keys");
      assertThat(refused.statusCode()).as(origin).isEqualTo(403);
      assertThat(refused.headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
    }
    assertThat(
            caravan
                .anybody()
                .with("Origin", "https://app.example")
                .get("/api/v1/jobs")
                .statusCode())
        .isEqualTo(401);
  }

  @Test
  void nothingOfCamelsOwnServerIsThere() {
    Api admin = caravan.as("default", Role.ADMIN);
    for (String path :
        List.of(
            "/observe/info",
            "/observe/health",
            "/q/dev",
            "/q/info",
            "/dev",
            "/application.properties",
            "/jolokia",
            "/hawtio",
            "/q/upload")) {
      assertThat(admin.get(path).statusCode()).as(path).isEqualTo(404);
    }
  }

  @Test
  void theEleventhWrongKeyHasToWaitAndARightOneDoesNot() {
    int refused = 0;
    HttpResponse<String> last = null;
    for (int i = 0; i < 100; i++) {
      last = caravan.anybody().with("X-API-Key", "wrong" + i).get("/api/v1/jobs");
      refused += last.statusCode() == 401 ? 1 : 0;
    }
    assertThat(refused).isLessThanOrEqualTo(10);
    assertThat(last.statusCode()).isEqualTo(429);
    assertThat(Integer.parseInt(last.headers().firstValue("Retry-After").orElse("0")))
        .isBetween(1, 60);
    assertThat(caravan.as("default", Role.ADMIN).get("/api/v1/keys").statusCode()).isEqualTo(200);
  }
}
