package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.access.Role;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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

/** Every call whose path names something, with what belongs to another tenant. */
class TenantIsolationTest {

  private static final ApiDocument DOCUMENT = ApiDocument.load();
  private static final List<String> STATES = List.of("completed", "failed", "queued");
  private static final String NO_JOB = UUID.randomUUID().toString();

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final Sql SQL = new Sql(DATABASE.url(), null, null);
  private static EmbeddedSftpServer sftp;
  private static TestCaravan caravan;
  private static Api owner;
  private static Api operator;
  private static Api other;
  private static final List<String> JOBS = new ArrayList<>();
  private static String delivery;
  private static String connection;
  private static String key;
  private static String sync;

  @BeforeAll
  static void start() throws Exception {
    Path remote = Files.createDirectory(folder.resolve("remote"));
    sftp = EmbeddedSftpServer.start(remote, folder.resolve("key"), 0, "u", "pw");
    caravan =
        TestCaravan.start(
            DATABASE,
            folder,
            Map.of(
                "caravan.secrets.key",
                Secrets.newKey(),
                "caravan.connections.allow",
                "127.0.0.0/8"));
    owner = caravan.as("a", Role.ADMIN);
    operator = caravan.as("default", Role.ADMIN);
    other = caravan.as("b", Role.ADMIN);
    for (String state : STATES) {
      JOBS.add(job(state));
    }
    delivery = UUID.randomUUID().toString();
    SQL.execute(
        """
        INSERT INTO caravan.outbox (id, job_id, kind, payload, state, ended_at)
        VALUES ('%s', '%s', 'webhook', '{}', 'given_up', now())"""
            .formatted(delivery, JOBS.get(0)));
    connection = made("/api/v1/connections", connection("own"));
    made("/api/v1/projects", project("mine", "own"));
    key = made("/api/v1/keys", "{\"name\":\"n\",\"role\":\"viewer\"}");
    SQL.execute("INSERT INTO module_types VALUES (2, 'headcount')");
    SQL.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025)");
    SQL.execute("INSERT INTO modules (id, inventory_id, module_type_id) VALUES (2, 7, 2)");
    SQL.execute("INSERT INTO factor_types VALUES (5, 2, 'meals')");
    HttpResponse<String> started = operator.post("/api/v1/sync/data-entries/2", entries());
    assertThat(started.statusCode()).as(started.body()).isEqualTo(202);
    sync = Api.json(started).at("/job_id").asText();
  }

  @AfterAll
  static void stop() throws Exception {
    caravan.close();
    sftp.close();
  }

  private static String job(String state) throws Exception {
    String id = UUID.randomUUID().toString();
    SQL.execute(
        """
        INSERT INTO caravan.job (id, kind, project, state, code, completed_at, run_after, tenant, route)
        VALUES ('%1$s', 'k', 'p', '%2$s', CASE '%2$s' WHEN 'failed' THEN 'INTERNAL' END,
          CASE '%2$s' WHEN 'queued' THEN NULL ELSE now() END, now() + interval '1 h', 'a', 'none')"""
            .formatted(id, state));
    return id;
  }

  private static String made(String path, String json) {
    HttpResponse<String> answer = owner.post(path, json);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    return Api.json(answer).at("/id").asText();
  }

  private static String connection(String name) {
    return "{\"name\":\"%s\",\"database_url\":\"postgresql://u:p@127.0.0.1:1/d\"}".formatted(name);
  }

  private static String project(String name, String connection) {
    String hostKey = sftp.knownHostsLine().replaceFirst("^\\S+ ", "").strip();
    return """
        {"project": "%s", "connection": "%s",
         "sftp": {"host": "127.0.0.1", "port": %d, "username": "u", "password": "pw",
           "host_key": "%s", "remote_path": "/x", "stable_seconds": 0},
         "schedule": {"cron": "0 0 0 1 1 ? 2099"},
         "tables": [{"file_pattern": "*.csv", "target_table": "mine", "primary_key": "id"}]}"""
        .formatted(name, connection, sftp.port(), hostKey);
  }

  private static String entries() {
    return """
        {"provider_type": "manual_entry", "year": 2025, "config": {"rows": [
          {"sciper": "1", "centre_financier": "F1", "function": "P", "fte": 1}]}}""";
  }

  /** What a call may say in its path: each of ours, and one that nobody has. */
  private record Named(String template, List<Map<String, String>> ours, Map<String, String> none) {

    String path(Map<String, String> values) {
      String path = template;
      for (Map.Entry<String, String> value : values.entrySet()) {
        path = path.replace("{" + value.getKey() + "}", value.getValue());
      }
      assertThat(path).as("its values are known").doesNotContain("{");
      return path;
    }
  }

  private static Named named(String template) {
    if (template.startsWith("/api/v1/sync/")) {
      Map<String, String> none = Map.of("job_id", "999", "module_id", "99", "factor_type_id", "99");
      Map<String, String> ours = Map.of("job_id", sync, "module_id", "2", "factor_type_id", "5");
      return new Named(template, List.of(ours), none);
    }
    if (template.startsWith("/api/v1/jobs/")) {
      List<Map<String, String>> ours =
          JOBS.stream()
              .map(job -> Map.of("job_id", job, "delivery_id", delivery, "line", "2"))
              .toList();
      return new Named(
          template, ours, Map.of("job_id", NO_JOB, "delivery_id", NO_JOB, "line", "2"));
    }
    return new Named(
        template,
        List.of(Map.of("id", template.contains("/keys/") ? key : connection, "name", "mine")),
        Map.of("id", NO_JOB, "name", "none"));
  }

  private static HttpResponse<String> send(
      Api api, Operation operation, Named named, Map<String, String> values) {
    String json =
        switch (operation.template()) {
          case "/api/v1/projects/{name}" -> project(values.get("name"), "own");
          case "/api/v1/connections/{id}" -> connection("other");
          case "/api/v1/jobs/{job_id}/rejects/{line}" -> "{\"raw\":\"x\"}";
          default -> entries();
        };
    return operation.takesBody()
        ? api.with("Content-Type", "application/json")
            .send(operation.method(), named.path(values), json.getBytes(StandardCharsets.UTF_8))
        : api.send(operation.method(), named.path(values));
  }

  private static String withoutName(HttpResponse<String> answer, Map<String, String> values) {
    String body = answer.statusCode() + answer.body();
    for (String value : values.values()) {
      body = body.replaceAll("\\b" + value + "\\b", "?");
    }
    return body;
  }

  @Test
  void whatAnotherTenantHasIsToEveryCallLikeWhatNobodyHas() {
    String before = owned();
    Map<String, String> told = new LinkedHashMap<>();
    Set<String> tried = new TreeSet<>();
    for (Operation operation : DOCUMENT.operations()) {
      if (!operation.template().contains("{")) {
        continue;
      }
      tried.add(operation.template());
      Named named = named(operation.template());
      String none = withoutName(send(other, operation, named, named.none()), named.none());
      assertThat(none).as("%s", operation.template()).startsWith("4");
      for (Map<String, String> values : named.ours()) {
        String ours = withoutName(send(other, operation, named, values), values);
        if (!ours.equals(none)) {
          told.put(operation.method() + " " + named.path(values), ours + " instead of " + none);
        }
      }
    }
    assertThat(told).isEmpty();
    assertThat(tried).hasSizeGreaterThan(20);
    assertThat(owned()).as("nothing was changed").isEqualTo(before);
  }

  /** All that the other tenant could have changed. */
  private static String owned() {
    return List.of(
            "SELECT id, state, attempt FROM caravan.job WHERE tenant = 'a' ORDER BY id",
            "SELECT id, state, attempts FROM caravan.outbox ORDER BY id",
            "SELECT c::text FROM caravan.connection c ORDER BY id",
            "SELECT p::text FROM caravan.project p ORDER BY id",
            "SELECT id, revoked_at FROM caravan.api_key WHERE tenant = 'a' ORDER BY id",
            "SELECT count(*) FROM caravan.data_ingestion")
        .stream()
        .map(query -> SQL.rows(query).toString())
        .collect(Collectors.joining("\n"));
  }

  @Test
  void itsOwnerFindsEachOfThem() {
    for (Operation operation : DOCUMENT.operations()) {
      if (operation.method().equals("GET") && operation.template().contains("{")) {
        Named named = named(operation.template());
        Api api = operation.template().contains("/sync/") ? operator : owner;
        Map<String, String> values = named.ours().get(0); // of the jobs that which has ended
        assertThat(send(api, operation, named, values).statusCode())
            .as(named.path(values))
            .isNotIn(401, 403, 404);
      }
    }
  }

  @Test
  void noIdThatIsNoneIsFoundOrTellsHowItWasRead() {
    for (Operation operation : DOCUMENT.operations()) {
      if (!operation.template().contains("{") || operation.takesBody()) {
        continue;
      }
      Set<Integer> statuses = new TreeSet<>();
      for (String id :
          List.of(
              "0", "-1", "9e18", "99999999999999999999", "abc", "%00", "1;2", "x'%20OR%20'a'='a")) {
        String path = operation.template().replaceAll("\\{[^}]+}", id.replace("$", "\\$"));
        HttpResponse<String> answer = owner.send(operation.method(), path);
        statuses.add(answer.statusCode());
        assertThat(answer.body()).as(path).doesNotContain("Exception", "SQL");
      }
      assertThat(statuses).as(operation.template()).containsExactly(404);
    }
  }
}
