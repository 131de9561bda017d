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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Imports of files that a call names: on another server, in another folder, or on this machine. */
class ImportApiTest {

  private static final String PASSWORD = "canary-of-the-project";
  private static final String OTHER_PASSWORD = "canary-of-one-import";

  @TempDir static Path folder;
  private static EmbeddedSftpServer server;
  private static EmbeddedSftpServer other;
  private static TestCaravan caravan;
  private static Api operator;

  @BeforeAll
  static void start() throws Exception {
    for (String name :
        List.of("server/in", "server/late", "other", "local/default/sub", "local/b")) {
      Files.createDirectories(folder.resolve(name));
    }
    server =
        EmbeddedSftpServer.start(
            folder.resolve("server"), folder.resolve("key1"), 0, "u", PASSWORD);
    other =
        EmbeddedSftpServer.start(
            folder.resolve("other"), folder.resolve("key2"), 0, "v", OTHER_PASSWORD);
    String project =
        TestCaravan.project(
                "p",
                "t",
                Map.of(
                    "host",
                    "127.0.0.1",
                    "port",
                    String.valueOf(server.port()),
                    "username",
                    "u",
                    "password",
                    PASSWORD,
                    "host_key",
                    hostKey(server),
                    "remote_path",
                    "/in"))
            + "schedule: {cron: '0 0 0 1 1 ? 2099'}\n";
    caravan =
        TestCaravan.start(
            TestDatabase.create(),
            folder,
            Map.of(
                "caravan.secrets.key", Secrets.newKey(),
                "caravan.connections.allow", "127.0.0.0/8",
                "caravan.imports.folder", folder.resolve("local").toString()),
            project);
    operator = caravan.as("default", Role.OPERATOR);
  }

  @AfterAll
  static void stop() throws Exception {
    caravan.close();
    server.close();
    other.close();
  }

  private static String hostKey(EmbeddedSftpServer of) {
    return of.knownHostsLine().replaceFirst("^\\S+ ", "").strip();
  }

  private static String elsewhere(String password) {
    return """
        {"project": "p", "sftp": {"host": "127.0.0.1", "port": %d, "username": "v", "password": "%s",
          "host_key": "%s"}}"""
        .formatted(other.port(), password, hostKey(other));
  }

  private static JsonNode imported(String wanted) {
    HttpResponse<String> answer = operator.post("/api/v1/import", wanted);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    String id = Api.json(answer).get("job_id").asText();
    return await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> Api.json(operator.get("/api/v1/jobs/" + id)),
            job -> !job.get("completed_at").isNull());
  }

  private static void file(String name, String id) throws Exception {
    Files.writeString(folder.resolve(name), "id,name\n" + id + ",x\n");
  }

  private static void refused(Api caller, String wanted, String... places) {
    HttpResponse<String> answer = caller.post("/api/v1/import", wanted);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    assertThat(Api.json(answer).at("/errors").findValuesAsText("at"))
        .as(answer.body())
        .containsExactlyInAnyOrder(places);
  }

  @Test
  void loadsFromAnotherServerForThisOnceAndKeepsItsPasswordEncrypted() throws Exception {
    file("other/o.csv", "other");
    file("server/in/i.csv", "not wanted");
    JsonNode job = imported(elsewhere(OTHER_PASSWORD));
    assertThat(job.at("/status").asText()).as(job.toString()).isEqualTo("completed");
    assertThat(job.at("/file_results").findValuesAsText("filename")).containsExactly("o.csv");
    assertThat(caravan.ids("t")).contains("other").doesNotContain("not wanted");
    assertThat(folder.resolve("other/o.csv")).exists();
    assertThat(caravan.texts("SELECT j::text FROM caravan.job j").toString())
        .contains("***")
        .doesNotContain(OTHER_PASSWORD);
    assertThat(caravan.context().getEndpoints().toString())
        .doesNotContain(String.valueOf(other.port()));
  }

  @Test
  void aServerThatRefusesTheLoginFailsTheJob() {
    JsonNode job = imported(elsewhere("canary-that-is-wrong"));
    assertThat(job.at("/status").asText()).isEqualTo("failed");
    assertThat(job.at("/error_code").asText()).isEqualTo("AUTH_FAILED");
    assertThat(job.toString()).contains("127.0.0.1").doesNotContain("canary");
  }

  @Test
  void loadsAnotherFolderOfTheProjectsServer() throws Exception {
    file("server/late/l.csv", "late");
    JsonNode job = imported("{\"project\": \"p\", \"sftp\": {\"remote_path\": \"/late\"}}");
    assertThat(job.at("/status").asText()).as(job.toString()).isEqualTo("completed");
    assertThat(job.at("/file_results").findValuesAsText("filename")).containsExactly("l.csv");
    assertThat(caravan.ids("t")).contains("late");
    assertThat(folder.resolve("server/late/l.csv")).exists();
  }

  @Test
  void saysWhatIsWrongWithAnotherServer() {
    refused(
        operator,
        "{\"project\": \"p\", \"sftp\": {\"host\": \"127.0.0.1\"}}",
        "/sftp/username",
        "/sftp/password");
    refused(
        operator,
        "{\"project\": \"p\", \"sftp\": {\"password\": \"stored one\"}}",
        "/sftp/password");
    refused(operator, elsewhere("${env:HOME}"), "/sftp/password");
    refused(operator, elsewhere("***"), "/sftp/password");
    refused(operator, elsewhere("x").replace("127.0.0.1", "10.0.0.1"), "/sftp/host");
    refused(operator, elsewhere("x").replace("host_key", "known_host"), "/sftp/known_host");
    refused(
        operator, elsewhere("x").replace("\"sftp\"", "\"files\": [\"a.csv\"], \"sftp\""), "/sftp");
  }

  @Test
  void loadsFilesOfTheTenantsFolderOnThisMachine() throws Exception {
    file("local/default/a.csv", "local a");
    file("local/default/sub/b.csv", "local b");
    JsonNode job = imported("{\"project\": \"p\", \"files\": [\"a.csv\", \"sub/b.csv\"]}");
    assertThat(job.at("/status").asText()).as(job.toString()).isEqualTo("completed");
    assertThat(job.at("/kind").asText()).isEqualTo("import-local");
    assertThat(job.at("/file_results").findValuesAsText("filename"))
        .containsExactly("a.csv", "b.csv");
    assertThat(caravan.ids("t")).contains("local a", "local b");
    assertThat(folder.resolve("local/default/a.csv")).exists();
  }

  @Test
  void namesNoFileOutsideOfThatFolder() throws Exception {
    file("local/b/c.csv", "of b");
    file("local/default/d.csv", "d");
    Files.createSymbolicLink(
        folder.resolve("local/default/link.csv"), folder.resolve("local/b/c.csv"));
    for (String path :
        List.of("none.csv", "../b/c.csv", "/etc/passwd", "sub", "link.csv", "a%2fb")) {
      refused(
          operator,
          "{\"project\": \"p\", \"files\": [\"d.csv\", \"%s\"]}".formatted(path),
          "/files/1");
    }
  }
}
