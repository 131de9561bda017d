package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.RouteDefinition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every route that is registered, with every kind of caller. */
class GuardTest {

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final ApiDocument DOCUMENT = ApiDocument.load();
  private static TestCaravan caravan;

  @BeforeAll
  static void start() throws Exception {
    caravan = TestCaravan.start(DATABASE, folder);
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  /** One registered route, with values in its path. */
  private record Call(String method, String template, String path) {
    static Call of(String method, String template) {
      return new Call(
          method, template, template.replaceAll("\\{[^}]+}", UUID.randomUUID().toString()));
    }
  }

  /** What the router has, not what the document says. */
  private static List<Call> registered() {
    VertxPlatformHttpRouter router =
        caravan.context().getRegistry().findByType(VertxPlatformHttpRouter.class).iterator().next();
    return router.getRoutes().stream()
        .filter(route -> route.getPath() != null)
        .flatMap(
            route ->
                route.methods().stream()
                    .map(
                        method ->
                            Call.of(
                                method.name(), route.getPath().replaceAll(":([a-z_]+)", "{$1}"))))
        .toList();
  }

  private static boolean open(Call call) {
    return Stream.of("/health/live", "/health/ready", "/api/v1/health")
        .anyMatch(call.template()::equals);
  }

  @Test
  void registeredRoutesAreThoseOfTheDocument() {
    assertThat(registered().stream().map(call -> call.method() + " " + call.template()))
        .containsExactlyInAnyOrderElementsOf(
            DOCUMENT.operations().stream().map(o -> o.method() + " " + o.template()).toList());
  }

  /** WebServerTest has what it answers. */
  @Test
  void everyRouteOfACallHasTheAnswerToWhatFails() {
    List<RouteDefinition> calls =
        ((ModelCamelContext) caravan.context())
            .getRouteDefinitions().stream()
                .filter(route -> route.getInput().getEndpointUri().startsWith("rest:"))
                .toList();
    assertThat(calls).hasSizeGreaterThan(35);
    assertThat(calls)
        .allSatisfy(
            route ->
                assertThat(route.getOutputs())
                    .first()
                    .asInstanceOf(type(OnExceptionDefinition.class))
                    .satisfies(
                        answer -> {
                          assertThat(answer.getExceptions())
                              .containsExactly(Throwable.class.getName());
                          assertThat(answer.getOutputs())
                              .hasToString("[Bean[" + FailedCall.class.getName() + "]]");
                        }));
  }

  @Test
  void nothingButHealthIsOpen() {
    int tested = 0;
    for (Call call : registered()) {
      HttpResponse<String> answer = caravan.anybody().send(call.method(), call.path());
      assertThat(answer.statusCode()).as("%s", call).isEqualTo(open(call) ? 200 : 401);
      tested++;
    }
    assertThat(tested).isEqualTo(DOCUMENT.operations().size());
  }

  @Test
  void noFormOfThePathIsOpenEither() {
    for (Call call : registered()) {
      for (String path : variants(call.path())) {
        HttpResponse<String> answer = caravan.anybody().send(call.method(), path);
        assertThat(answer.statusCode()).as("%s %s", call.method(), path).isEqualTo(401);
        assertProblem(answer, "UNAUTHENTICATED");
      }
    }
  }

  @Test
  void aFormOfThePathThatIsNotItsOwnIsNotFoundWithAKey() {
    Api admin = caravan.as("default", Role.ADMIN);
    for (Call call : registered()) {
      for (String path : variants(call.path())) {
        assertThat(admin.send(call.method(), path).statusCode())
            .as("%s %s", call.method(), path)
            .isIn(404, 405);
      }
    }
  }

  private static List<String> variants(String path) {
    String last = path.substring(path.lastIndexOf('/') + 1);
    String parent = path.substring(0, path.lastIndexOf('/'));
    return List.of(
        "/" + path,
        path + "/",
        path.replaceFirst("/([^/]+)$", "//$1"),
        path.replaceFirst("/([^/]+)$", "/./$1"),
        path + "/.",
        path + "/..;/x",
        path + ";x",
        path + ";/health",
        path + "%2f",
        path + "%00",
        parent + "%2f" + last,
        parent + "/%" + String.format("%02x", (int) last.charAt(0)) + last.substring(1),
        "/health/../" + path,
        path.toUpperCase(Locale.ROOT),
        path + "/health",
        path + "/ready",
        path + "/configs",
        "/x" + path,
        path + "/health/live");
  }

  @Test
  void noOtherCredentialIsTaken() {
    List<Map<String, String>> credentials =
        List.of(
            Map.of("Authorization", "Bearer"),
            Map.of("Authorization", "Bearer null"),
            Map.of("Authorization", "Bearer cvn_"),
            Map.of("Authorization", "Basic " + base64("admin:admin")),
            Map.of(
                "Authorization", "Basic " + base64("admin:" + caravan.key("default", Role.ADMIN))),
            Map.of("Authorization", "Digest username=\"admin\""),
            Map.of("Authorization", caravan.key("default", Role.ADMIN)),
            Map.of("X-API-Key", "cvn_aaaaaaaaaaaa_" + "A".repeat(43)),
            Map.of("X-Api-Key", "' OR 'a'='a"),
            Map.of("Cookie", "key=" + caravan.key("default", Role.ADMIN)));
    for (Call call : registered()) {
      for (Map<String, String> headers : credentials) {
        if (!open(call)) {
          int status =
              new Api(caravan.anybody().base(), headers)
                  .send(call.method(), call.path())
                  .statusCode();
          assertThat(status).as("%s with %s", call, headers).isIn(401, 429);
        }
      }
    }
    assertThat(caravan.anybody().get("/api/v1/jobs?api_key=" + caravan.key("default", Role.ADMIN)))
        .returns(401, HttpResponse::statusCode);
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void eachRoleMayDoWhatTheDocumentSaysAndNoMore() {
    for (Role role : Role.values()) {
      Api api = caravan.as("roles", role);
      for (Operation operation : DOCUMENT.operations()) {
        int status =
            api.send(operation.method(), Call.of(operation.method(), operation.template()).path())
                .statusCode();
        boolean may = operation.role().map(role::covers).orElse(true);
        if (may) {
          assertThat(status)
              .as("%s %s %s", role, operation.method(), operation.template())
              .isNotEqualTo(403);
        } else {
          assertThat(status)
              .as("%s %s %s", role, operation.method(), operation.template())
              .isEqualTo(403);
        }
      }
    }
    assertThat(caravan.as("roles", Role.VIEWER).get("/api/v1/jobs").statusCode()).isEqualTo(200);
    assertThat(caravan.as("roles", Role.OPERATOR).get("/api/v1/keys").statusCode()).isEqualTo(403);
  }

  /** A change would else be the way to make what may not be made. */
  @Test
  void noChangeAsksForLessThanMakingDoes() {
    Map<String, Role> makes = new TreeMap<>();
    for (Operation operation : DOCUMENT.operations()) {
      if (operation.method().equals("POST")) {
        makes.put(operation.template(), operation.role().orElseThrow());
      }
    }
    int changes = 0;
    for (Operation operation : DOCUMENT.operations()) {
      String kind = operation.template().replaceFirst("/\\{[^}]+}$", "");
      if (List.of("PUT", "PATCH", "DELETE").contains(operation.method())
          && makes.containsKey(kind)) {
        changes++;
        assertThat(operation.role().orElseThrow().covers(makes.get(kind)))
            .as("%s %s", operation.method(), operation.template())
            .isTrue();
      }
    }
    assertThat(changes).isGreaterThan(4);
  }

  @Test
  void takesAKeyInEitherHeader() {
    String key = caravan.key("default", Role.VIEWER);
    assertThat(caravan.anybody().with("X-API-Key", key).get("/api/v1/jobs").statusCode())
        .isEqualTo(200);
    assertThat(
            caravan
                .anybody()
                .with("Authorization", "bearer  " + key)
                .get("/api/v1/jobs")
                .statusCode())
        .isEqualTo(200);
  }

  @Test
  void otherMethodsAreRefusedAndSayWhichAreTaken() {
    Api admin = caravan.as("default", Role.ADMIN);
    for (String method : List.of("TRACE", "OPTIONS", "PATCH", "PUT", "DELETE", "FOO")) {
      assertThat(caravan.anybody().send(method, "/api/v1/jobs").statusCode())
          .as(method)
          .isIn(401, 405, 501);
      HttpResponse<String> answer = admin.send(method, "/api/v1/jobs");
      assertThat(answer.statusCode()).as(method).isEqualTo(405);
      assertThat(answer.headers().firstValue("Allow")).hasValue("GET");
    }
    assertThat(admin.send("HEAD", "/api/v1/jobs").statusCode()).isEqualTo(405);
    assertThat(admin.with("X-HTTP-Method-Override", "DELETE").get("/api/v1/jobs").statusCode())
        .isEqualTo(200);
  }

  @Test
  void fieldsOfAFormChangeNothing() throws Exception {
    Sql sql = new Sql(DATABASE.url(), null, null);
    String job = UUID.randomUUID().toString();
    sql.execute(
        "INSERT INTO caravan.job (id, kind, project, state, completed_at, tenant) VALUES ('%s', 'k', 'p', 'completed', now(), 'inject')"
            .formatted(job));
    Api viewer = caravan.as("inject", Role.VIEWER);
    HttpResponse<String> plain = viewer.get("/api/v1/jobs/" + job);
    assertThat(plain.statusCode()).isEqualTo(200);
    byte[] form = "job_id=1&CamelHttpResponseCode=500&limit=0".getBytes(StandardCharsets.UTF_8);
    Api posting = viewer.with("Content-Type", "application/x-www-form-urlencoded");
    assertThat(posting.send("GET", "/api/v1/jobs/" + job, form).body()).isEqualTo(plain.body());
  }

  @Test
  void eachAnswerForbidsWhatABrowserMightMakeOfIt() {
    HttpResponse<String> answer =
        caravan.anybody().with("Origin", "https://evil.example").get("/api/v1/jobs");
    assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
    assertThat(answer.headers().firstValue("Cache-Control")).hasValue("no-store");
    assertThat(answer.headers().firstValue("Content-Security-Policy").orElse(""))
        .contains("default-src 'none'");
    assertThat(answer.headers().firstValue("WWW-Authenticate").orElse("")).startsWith("Bearer");
    assertThat(answer.headers().map()).doesNotContainKey("access-control-allow-origin");
  }

  @Test
  void healthTellsEverybodyTheSameAndNoMoreThanUp() {
    for (Api api : List.of(caravan.anybody(), caravan.as("default", Role.ADMIN))) {
      for (String path : List.of("/health/live", "/health/ready")) {
        assertThat(api.get(path).body()).isEqualTo("{\"status\":\"up\"}");
      }
      assertThat(api.get("/api/v1/health").body())
          .isEqualTo("{\"status\":\"up\",\"database\":\"up\"}");
    }
  }

  @Test
  void anotherTenantsJobIsNotThereAndLooksLikeAnyOtherThatIsNot() throws Exception {
    Sql sql = new Sql(DATABASE.url(), null, null);
    Map<String, String> jobs = new TreeMap<>();
    for (String tenant : List.of("a", "aa", "a_b")) {
      String id = UUID.randomUUID().toString();
      jobs.put(tenant, id);
      sql.execute(
          "INSERT INTO caravan.job (id, kind, project, state, completed_at, tenant) VALUES ('%s', 'k', 'p', 'completed', now(), '%s')"
              .formatted(id, tenant));
    }
    for (String tenant : jobs.keySet()) {
      Api api = caravan.as(tenant, Role.ADMIN);
      assertThat(Api.json(api.get("/api/v1/jobs")).findValuesAsText("job_id"))
          .containsExactly(jobs.get(tenant));
      String unknown = api.get("/api/v1/jobs/" + UUID.randomUUID()).body();
      for (String other : jobs.keySet()) {
        for (String path : List.of("", "/rejects", "/rejects.csv")) {
          HttpResponse<String> answer = api.get("/api/v1/jobs/" + jobs.get(other) + path);
          if (!other.equals(tenant)) {
            assertThat(answer.statusCode()).as("%s %s %s", tenant, other, path).isEqualTo(404);
            assertThat(answer.body()).isEqualTo(unknown);
          }
        }
      }
      assertThat(api.get("/api/v1/jobs/" + jobs.get(tenant)).statusCode()).isEqualTo(200);
      for (String id : List.of("0", "-1", "9e18", "abc", "%00", "1;2", "x'%20OR%20'a'='a")) {
        assertThat(api.get("/api/v1/jobs/" + id).body()).as(id).isEqualTo(unknown);
      }
    }
  }

  private static void assertProblem(HttpResponse<String> answer, String code) {
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    JsonNode problem = Api.json(answer);
    assertThat(problem.at("/error_code").asText()).isEqualTo(code);
    assertThat(problem.at("/status").asInt()).isEqualTo(answer.statusCode());
  }
}
