package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.Role;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProjectsApiTest {

  private static final String PATH = "/api/v1/projects";
  private static final Duration SOME_SECONDS = Duration.ofSeconds(20);

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final String PASSWORD = "canary-0815";
  private static Map<String, String> settings;
  private static TestCaravan caravan;
  private static EmbeddedSftpServer server;
  private static Path remote;
  private static Api admin;

  @BeforeAll
  static void start() throws Exception {
    remote = Files.createDirectories(folder.resolve("remote"));
    server = EmbeddedSftpServer.start(remote, folder.resolve("hostkey"), 0, "u", PASSWORD);
    settings =
        Map.of(
            "caravan.secrets.key",
            Secrets.newKey(),
            "caravan.connections.allow",
            "127.0.0.0/8",
            "caravan.node",
            "one");
    caravan =
        TestCaravan.start(
            DATABASE,
            folder,
            settings,
            """
            project: of_file
            connection: warehouse
            sftp: {host: 127.0.0.1, port: %d, username: u, password: %s, host_key: "%s", remote_path: /none, stable_seconds: 0}
            defaults: {file_pattern: "*.csv", primary_key: id}
            """
                .formatted(server.port(), PASSWORD, hostKey()));
    admin = caravan.as("default", Role.ADMIN);
  }

  @AfterAll
  static void stop() throws Exception {
    caravan.close();
    server.close();
  }

  private static String hostKey() {
    return server.knownHostsLine().replaceFirst("^\\S+ ", "").strip();
  }

  /** A project of the folder of its name, whose files go to the table. */
  private static String project(String name, String table, String password) {
    return project(name, table, password, "warehouse", server.port());
  }

  private static String project(
      String name, String table, String password, String connection, int port) {
    return """
        {"project": "%s", "connection": "%s",
         "sftp": {"host": "127.0.0.1", "port": %d, "username": "u", "password": "%s",
           "host_key": "%s", "remote_path": "/%s", "poll_seconds": 1, "stable_seconds": 0},
         "tables": [{"file_pattern": "*.csv", "target_table": "%s", "primary_key": "id"}]}"""
        .formatted(name, connection, port, password, hostKey(), name, table);
  }

  private static void file(String project, String name, String text) throws Exception {
    Path directory = Files.createDirectories(remote.resolve(project));
    Files.writeString(directory.resolve(name), text);
  }

  private static HttpResponse<String> put(Api api, String name, String body) {
    return api.with("Content-Type", "application/json")
        .send("PUT", PATH + "/" + name, body.getBytes(StandardCharsets.UTF_8));
  }

  private static void created(Api api, String body) {
    HttpResponse<String> made = api.post(PATH, body);
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    assertThat(made.body()).doesNotContain(PASSWORD);
  }

  private static void awaitRows(String table, String... ids) {
    await()
        .atMost(SOME_SECONDS)
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(caravan.ids(table)).containsExactly(ids));
  }

  @Test
  void takesEffectWithoutARestartOnEveryNode() throws Exception {
    file("live", "a.csv", "id,v\n1,x\n");
    Map<String, String> other = new java.util.HashMap<>(settings);
    other.put("caravan.node", "two");
    try (TestCaravan second = TestCaravan.start(DATABASE, folder, other)) {
      created(admin, project("live", "live_one", PASSWORD));
      awaitRows("live_one", "1");
      HttpResponse<String> changed =
          put(second.as("default", Role.ADMIN), "live", project("live", "live_two", "***"));
      assertThat(changed.statusCode()).as(changed.body()).isEqualTo(200);
      file("live", "b.csv", "id,v\n2,y\n");
      awaitRows("live_two", "2");
      assertThat(admin.send("DELETE", PATH + "/live").statusCode()).isEqualTo(204);
      for (TestCaravan node : new TestCaravan[] {caravan, second}) {
        assertThat(
                node.as("default", Role.OPERATOR)
                    .post("/api/v1/import", "{\"project\": \"live\"}")
                    .statusCode())
            .isEqualTo(422);
      }
      assertThat(
              caravan.texts(
                  "SELECT 1 FROM caravan.secret s JOIN caravan.project p ON p.id = s.owner WHERE p.name = 'live'"))
          .isEmpty();
      assertThat(admin.get(PATH + "/live").statusCode()).isEqualTo(404);
      created(admin, project("live", "live_one", PASSWORD));
      file("live", "c.csv", "id,v\n3,z\n");
      awaitRows("live_one", "1", "3");
    }
  }

  @Test
  void everythingThatIsWrongIsSaidAtOnceWithItsPlace() {
    HttpResponse<String> refused =
        admin.post(
            PATH,
            """
            {"project": "w", "connection": "warehouse", "sfpt": {},
             "tables": [{"file_pattern": "*.csv", "target_table": "t", "primary_key": "id", "delimiter": "ab"}]}""");
    assertThat(refused.statusCode()).isEqualTo(422);
    assertThat(Api.json(refused).at("/errors").findValuesAsText("at"))
        .contains("/sfpt", "/tables/0/delimiter");
    for (Map.Entry<String, String> wrong :
        Map.of(
                project("w", "t", "${env:HOME}"), "/sftp/password",
                project("w", "t", "***"), "/sftp/password",
                project("w", "t", "x", "nowhere", 22), "/connection",
                project("w", "t", "x").replace("127.0.0.1", "10.0.0.1"), "/sftp/host",
                project("w", "t", "x")
                        .replaceFirst("\"tables\"", "\"schedule\": {\"cron\": \"x\"}, \"tables\""),
                    "")
            .entrySet()) {
      HttpResponse<String> answer = admin.post(PATH, wrong.getKey());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
      assertThat(Api.json(answer).at("/errors").findValuesAsText("at").get(0))
          .startsWith(wrong.getValue());
    }
    assertThat(admin.get(PATH + "/w").statusCode()).isEqualTo(404);
  }

  @Test
  void secretsAreNeverShownAndNeverGoToAnotherServer() throws Exception {
    created(admin, project("secret", "t_secret", PASSWORD));
    for (String shown : new String[] {admin.get(PATH).body(), admin.get(PATH + "/secret").body()}) {
      assertThat(shown).contains("***").doesNotContain(PASSWORD);
    }
    assertThat(caravan.texts("SELECT p::text FROM caravan.project p").toString())
        .doesNotContain(PASSWORD);
    for (String elsewhere :
        new String[] {
          project("secret", "t", "***", "warehouse", 2222),
          project("secret", "t", "***").replace("\"u\"", "\"v\""),
          project("secret", "t", "***").replace("127.0.0.1", "127.0.0.2")
        }) {
      HttpResponse<String> refused = put(admin, "secret", elsewhere);
      assertThat(refused.statusCode()).as(refused.body()).isEqualTo(422);
      assertThat(Api.json(refused).at("/errors/0/at").asText()).isEqualTo("/sftp/password");
    }
  }

  @Test
  void eachTenantHasItsOwnProjectsAndJobsAndNothingOfTheOperators() throws Exception {
    Api tenant = caravan.as("acme", Role.ADMIN);
    String name = "shared";
    HttpResponse<String> foreign = tenant.post(PATH, project(name, "t_acme", PASSWORD));
    assertThat(Api.json(foreign).at("/errors/0/at").asText()).isEqualTo("/connection");
    String url =
        DATABASE.url().replaceFirst("^jdbc:postgresql://([^?]*)[?].*", "postgresql://caravan:x@$1");
    assertThat(
            tenant
                .post("/api/v1/connections", "{\"name\":\"own\",\"database_url\":\"" + url + "\"}")
                .statusCode())
        .isEqualTo(201);
    HttpResponse<String> operators =
        tenant.post(
            PATH,
            "{\"project\":\"x\",\"connection\":\"own\",\"defaults\":{\"file_pattern\":\"*\",\"primary_key\":\"id\"}}");
    assertThat(Api.json(operators).at("/errors/0/at").asText()).isEqualTo("/sftp/host");
    file(name, "a.csv", "id,v\n1,x\n");
    created(admin, project(name, "t_operator", PASSWORD).replace("\"*.csv\"", "\"none\""));
    created(tenant, project(name, "t_acme", PASSWORD, "own", server.port()));
    awaitRows("t_acme", "1");
    JsonNode jobs = Api.json(tenant.get("/api/v1/jobs"));
    assertThat(jobs.at("/jobs/0/project").asText()).isEqualTo(name);
    assertThat(admin.get("/api/v1/jobs").body()).doesNotContain("t_acme");
    assertThat(tenant.get(PATH).body()).contains("own").doesNotContain("of_file", "t_operator");
    assertThat(tenant.get(PATH + "/of_file").body())
        .isEqualTo(tenant.get(PATH + "/" + UUID.randomUUID()).body());
    String connection = Api.json(tenant.get(PATH + "/" + name)).at("/connection_id").asText();
    assertThat(tenant.send("DELETE", "/api/v1/connections/" + connection).statusCode())
        .isEqualTo(409);
    assertThat(tenant.send("DELETE", PATH + "/" + name).statusCode()).isEqualTo(204);
    assertThat(tenant.send("DELETE", "/api/v1/connections/" + connection).statusCode())
        .isEqualTo(204);
  }

  @Test
  void thoseOfFilesAreReadOnly() {
    HttpResponse<String> shown = admin.get(PATH + "/of_file");
    assertThat(shown.body()).contains("\"read_only\":true", "***").doesNotContain(PASSWORD);
    assertThat(put(admin, "of_file", project("of_file", "t", "x")).statusCode()).isEqualTo(409);
    assertThat(admin.send("DELETE", PATH + "/of_file").statusCode()).isEqualTo(409);
    assertThat(admin.post(PATH, project("of_file", "t", "x")).statusCode()).isEqualTo(409);
  }

  @Test
  void previewAndPlanShowWhatAnImportWouldDoAndDoNothing() throws Exception {
    StringBuilder rows = new StringBuilder("id,na me\n");
    for (int i = 0; i < 30; i++) {
      rows.append(i).append(",\"v").append(i).append("\"\n");
    }
    file("look", "a.csv", rows.toString());
    file("look", "b.csv", "");
    file("look", "c.txt", "x");
    created(
        admin,
        project("look", "looked", PASSWORD)
            .replace("\"tables\"", "\"schedule\": {\"cron\": \"0 0 0 1 1 ? 2099\"}, \"tables\""));
    JsonNode preview = Api.json(admin.send("POST", PATH + "/look/preview"));
    assertThat(preview.at("/files")).as("%s", preview).hasSize(2);
    assertThat(preview.at("/files/0/table_name").asText()).contains("looked");
    assertThat(preview.at("/files/0/columns/1").asText()).isEqualTo("na me");
    assertThat(preview.at("/files/0/rows")).hasSize(20);
    assertThat(preview.at("/files/0/rows/3/1").asText()).isEqualTo("v3");
    assertThat(preview.at("/files/1/error").asText()).startsWith("EMPTY_FILE");
    JsonNode plan = Api.json(admin.send("POST", PATH + "/look/plan"));
    assertThat(plan.at("/ddl")).as("%s", plan).hasSize(3);
    assertThat(plan.at("/ddl/1").asText())
        .isEqualTo("CREATE TABLE \"public\".\"looked\" (\"id\" text, \"na me\" text)");
    assertThat(caravan.texts("SELECT to_regclass('looked')::text").get(0)).isNull();
    HttpResponse<String> down = admin.send("POST", PATH + "/of_file/preview");
    assertThat(down.statusCode()).as(down.body()).isEqualTo(502);
    assertThat(admin.send("POST", PATH + "/none/preview").statusCode()).isEqualTo(404);
  }
}
