package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.Role;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes on one database that the operator has not set up alike. */
class TwoNodesTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String PROBLEM = "project p: node one has another file for it";
  private static final int CALLS = 6;

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();

  private TestCaravan start(String node, String... projects) throws Exception {
    return TestCaravan.start(
        database,
        folder,
        Map.of(
            "caravan.node",
            node,
            "caravan.secrets.key",
            Secrets.newKey(),
            "caravan.connections.allow",
            "127.0.0.0/8"),
        projects);
  }

  private static String problem(TestCaravan node, String project) {
    return Api.json(node.as("default", Role.VIEWER).get("/api/v1/projects/" + project))
        .path("problem")
        .asText("");
  }

  private static String stored(UnrulySftpServer server) {
    Map<String, String> login = server.login();
    return """
        {"project": "stored", "connection": "warehouse",
         "sftp": {"host": "127.0.0.1", "port": %s, "username": "u", "password": "secret",
           "host_key": "%s", "remote_path": "/none", "poll_seconds": 3600},
         "tables": [{"file_pattern": "*.csv", "target_table": "t", "primary_key": "id"}]}"""
        .formatted(login.get("port"), login.get("host_key"));
  }

  @Test
  @SuppressWarnings("try") // the first node ends before the others
  void theOneThatDiffersSaysSoAndLeavesTheWorkToTheOther() throws Exception {
    try (UnrulySftpServer server = UnrulySftpServer.start(folder.resolve("mina"))) {
      try (TestCaravan one = start("one", TestCaravan.project("p", "t_one", server.login()));
          TestCaravan two = start("two", TestCaravan.project("p", "t_two", server.login()));
          TestCaravan without = start("three")) {
        assertThat(two.output()).contains(PROBLEM);
        assertThat(problem(two, "p")).startsWith("CONFIG_INVALID: ").contains(PROBLEM);
        assertThat(problem(one, "p")).isEmpty();
        server.put("a.csv", "id,name\n1,x\n");
        for (int i = 0; i < CALLS; i++) {
          assertThat(
                  two.as("default", Role.OPERATOR)
                      .post("/api/v1/import", "{\"project\": \"p\"}")
                      .statusCode())
              .isEqualTo(202);
        }
        assertThat(two.awaitEnd("a.csv").state()).isEqualTo("completed");
        two.awaitMoved("a.csv");
        await()
            .atMost(PATIENCE)
            .until(
                () ->
                    two.jobs(TestCaravan.Job::ended).size() >= CALLS
                        && two.jobs().stream().allMatch(TestCaravan.Job::ended));
        assertThat(two.texts("SELECT DISTINCT node FROM caravan.job WHERE project = 'p'"))
            .containsExactly("one");
        assertThat(two.texts("SELECT to_regclass('t_two')::text")).containsExactly((String) null);

        // a secret that only the first node can read is told by the others, and hurts nobody
        assertThat(
                one.as("default", Role.ADMIN).post("/api/v1/projects", stored(server)).statusCode())
            .isEqualTo(201);
        await()
            .atMost(PATIENCE)
            .until(() -> problem(without, "stored"), p -> p.startsWith("SECRET_UNREADABLE: "));
        assertThat(problem(one, "stored")).isEmpty();

        one.close();
        await().atMost(PATIENCE).until(() -> problem(two, "p").isEmpty());
        server.put("b.csv", "id,name\n2,y\n");
        assertThat(two.awaitEnd("b.csv").state()).isEqualTo("completed");
        assertThat(two.ids("t_two")).containsExactly("2");
      }
    }
  }
}
