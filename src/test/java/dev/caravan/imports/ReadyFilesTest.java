package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestCaravan.Job;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one import finds in a folder, in which order it loads it, and what it says of the rest. */
class ReadyFilesTest {

  private static final String UNPOLLED = "schedule: {cron: '0 0 0 1 1 ? 2099'}\n";

  @TempDir static Path folder;

  private static UnrulySftpServer server;
  private static TestCaravan caravan;
  private static Sql sql;
  private static Api operator;

  @BeforeAll
  static void start() throws Exception {
    server = UnrulySftpServer.start(folder.resolve("mina"));
    TestDatabase database = TestDatabase.create();
    sql = new Sql(database.url(), null, null);
    caravan =
        TestCaravan.start(
            database,
            folder,
            project("unmatched", Map.of()) + UNPOLLED,
            project("ordered", Map.of()) + UNPOLLED,
            project("kept", Map.of("after_load", "keep", "detect_changes", "content")) + UNPOLLED,
            project("written", Map.of("stable_seconds", "2")) + UNPOLLED,
            project("pausing", Map.of("stable_seconds", "3")));
    operator = caravan.as("default", Role.OPERATOR);
  }

  @AfterAll
  static void stop() throws Exception {
    if (caravan != null) {
      caravan.close();
    }
    server.close();
  }

  /** Every file becomes a table of its name. */
  private static String project(String name, Map<String, String> more) throws Exception {
    Files.createDirectories(server.file(name));
    Map<String, String> sftp = server.login();
    sftp.put("remote_path", "/export/" + name);
    sftp.putAll(more);
    String tables = "tables:\n  - {file_pattern: \"*.csv\", target_table: t, primary_key: id}\n";
    return TestCaravan.project(name, "t", sftp)
        .replace(tables, "defaults: {file_pattern: \"*.csv\", primary_key: id}\n");
  }

  private static Job imported(String project) throws Exception {
    UUID id = UUID.fromString(launched(project));
    return await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> caravan.jobs(job -> job.id().equals(id)), jobs -> jobs.get(0).ended())
        .get(0);
  }

  private static String launched(String project) throws Exception {
    return Api.json(operator.post("/api/v1/import", "{\"project\":\"%s\"}".formatted(project)))
        .get("job_id")
        .asText();
  }

  @Test
  void anImportThatFindsNothingSaysWhy() throws Exception {
    Job nothing = imported("unmatched");
    assertThat(nothing.state()).isEqualTo("completed");
    assertThat(nothing.message()).isEqualTo("There is no file in the folder.");

    server.put("unmatched/KUNDEN.CSV", "id,n\n1,x\n");
    String why = "1 file in the folder matches no pattern (KUNDEN.CSV; *.csv differs in case)";
    Job unmatched = imported("unmatched");
    assertThat(unmatched.state()).isEqualTo("completed");
    assertThat(unmatched.message()).isEqualTo(why + ".");
    assertThat(
            Api.json(operator.send("POST", "/api/v1/projects/unmatched/preview"))
                .get("note")
                .asText())
        .isEqualTo(why + ".");

    server.put("unmatched/k.csv", "id,n\n1,x\n");
    server.put("unmatched/notes.txt", "");
    assertThat(imported("unmatched").message())
        .isEqualTo(
            "2 files in the folder match no pattern (KUNDEN.CSV, notes.txt; *.csv differs in case).");
    assertThat(caravan.rows("k")).isEqualTo(1);
  }

  @Test
  void filesOfTablesThatOthersReferToAreLoadedFirst() throws Exception {
    sql.execute(
        """
        CREATE TABLE customers (id int PRIMARY KEY);
        CREATE TABLE orders (id int PRIMARY KEY, cust int REFERENCES customers);
        CREATE TABLE lines (id int PRIMARY KEY, ord int REFERENCES orders, up int REFERENCES lines)""");
    List<String> oldestFirst = List.of("lines.csv", "orders.csv", "customers.csv", "-.csv");
    server.put("ordered/lines.csv", "id,ord,up\n1,2,\n2,1,1\n");
    server.put("ordered/orders.csv", "id,cust\n1,1\n2,1\n");
    server.put("ordered/customers.csv", "id\n1\n");
    server.put("ordered/-.csv", "id\n1\n"); // gives no table
    for (int i = 0; i < oldestFirst.size(); i++) {
      Files.setLastModifiedTime(
          server.file("ordered/" + oldestFirst.get(i)),
          FileTime.from(Instant.now().minusSeconds(1_000 - i)));
    }
    Job job = imported("ordered");
    assertThat(job.code()).isEqualTo("BAD_NAME"); // that of the last one, and of no other
    assertThat(
            sql.rows(
                """
                SELECT label || ' ' || status || ' ' || rows_inserted || ' ' || rows_rejected
                FROM caravan.job_load WHERE project = 'ordered' ORDER BY label COLLATE "C"\
                """))
        .containsExactly(
            "-.csv failed 0 0",
            "customers.csv loaded 1 0",
            "lines.csv loaded 2 0",
            "orders.csv loaded 2 0");
  }

  @Test
  void aFileThatIsStillWrittenIsLeftForTheNextImport() throws Exception {
    Files.createDirectories(server.file("written/sub"));
    server.put("written/sub/whole", "id\n1\n");
    Files.createSymbolicLink(server.file("written/whole.csv"), Path.of("sub/whole"));
    server.put("written/half.csv", "id\n1\n");
    String id = launched("written");
    await()
        .until(
            () ->
                caravan
                    .texts("SELECT step FROM caravan.job_progress WHERE job_id = '" + id + "'")
                    .contains("waiting"));
    Files.writeString(server.file("written/half.csv"), "2\n", StandardOpenOption.APPEND);
    Job job =
        await()
            .atMost(Duration.ofSeconds(20))
            .until(
                () -> caravan.jobs(j -> j.id().toString().equals(id)), jobs -> jobs.get(0).ended())
            .get(0);
    assertThat(job.file()).isEqualTo("whole.csv");
    assertThat(job.message())
        .isEqualTo("Left for the next import, because they changed within 2 s: half.csv.");
    assertThat(imported("written").file()).isEqualTo("half.csv");
    assertThat(caravan.ids("half")).containsExactly("1", "2");
  }

  @Test
  void aWriterMayPauseForMoreThanTwoPolls() throws Exception {
    int before = caravan.jobs(job -> job.project().equals("pausing")).size();
    server.put("pausing/paused.csv", "id\n1\n");
    await()
        .during(Duration.ofMillis(2_200))
        .until(() -> caravan.jobs(job -> job.project().equals("pausing")).size() == before);
    Files.writeString(server.file("pausing/paused.csv"), "2\n", StandardOpenOption.APPEND);
    assertThat(caravan.awaitEnd("paused.csv").state()).isEqualTo("completed");
    caravan.awaitMoved("paused.csv");
    assertThat(caravan.ids("paused")).containsExactly("1", "2");
    assertThat(caravan.jobsOf("paused.csv")).hasSize(1);
  }

  /** Its writer has it open: the rest goes into the file where it was moved to. */
  @Test
  void aFileThatGrowsAfterItsMoveIsTold() throws Exception {
    server.put("pausing/open.csv", "id\n1\n");
    server.put("pausing/closed.csv", "id\n1\n");
    caravan.awaitMoved("open.csv");
    caravan.awaitMoved("closed.csv");
    Files.writeString(server.file("pausing/.done/open.csv"), "2\n3\n", StandardOpenOption.APPEND);
    String checks =
        "SELECT count(*) FROM caravan.outbox WHERE kind = 'check_file' AND state = '%s'"
            + " AND payload->>'file' IN ('open.csv', 'closed.csv')";
    assertThat(sql.value(checks.formatted("pending"))).isEqualTo("2");
    sql.execute(
        "UPDATE caravan.scheduled_tasks SET execution_time = now() WHERE NOT picked"); // not in 30
    // s
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> sql.value(checks.formatted("done")).equals("2"));
    List<Job> told = caravan.jobs(job -> job.kind().equals("check_file"));
    assertThat(told).hasSize(1);
    assertThat(told.get(0).state()).isEqualTo("failed");
    assertThat(told.get(0).code()).isEqualTo("SOURCE_CHANGED");
    assertThat(told.get(0).message())
        .contains("open.csv", "5 bytes", "9 now", "/export/pausing/.done/open.csv");
  }

  @Test
  void aKeptFileIsLoadedAgainWhenOnlyItsContentChanges() throws Exception {
    Path file = server.file("kept/kept.csv");
    FileTime time = FileTime.from(Instant.parse("2026-01-01T00:00:00Z"));
    List<String> became = new ArrayList<>();
    for (String name : List.of("one", "one", "two")) {
      server.put("kept/kept.csv", "id,name\n1," + name + "\n");
      Files.setLastModifiedTime(file, time);
      became.add(imported("kept").status() + " " + sql.value("SELECT name FROM kept"));
    }
    assertThat(became).containsExactly("loaded one", "same_content one", "loaded two");
  }
}
