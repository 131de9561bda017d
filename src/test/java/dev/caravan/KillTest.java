package dev.caravan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.testing.FreePort;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A killed process leaves the table as before or as after, and the file is loaded once. */
class KillTest {

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int ROWS = 80_000;

  /** When the process is killed, told by what the database shows. */
  enum Moment {
    COPY("SELECT count(*) FROM pg_stat_progress_copy WHERE tuples_processed > 20000"),
    MERGE(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%MERGE INTO%' AND state = 'active' AND pid <> pg_backend_pid()"),
    COMMITTED("SELECT count(*) - {loads} FROM caravan.load");

    private final String shown;

    Moment(String shown) {
      this.shown = shown;
    }

    /** In a database that has so many loads. */
    boolean isThere(Sql sql, int loads) {
      return Integer.parseInt(sql.value(shown.replace("{loads}", String.valueOf(loads)))) > 0;
    }
  }

  @TempDir Path folder;
  private Process child;

  @AfterEach
  void endChild() {
    if (child != null) {
      child.destroyForcibly();
    }
  }

  private Process start(Map<String, String> settings) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-Djdk.serialFilter=!*", // nothing is read as a Java object
            "-cp",
            System.getProperty("java.class.path"),
            "dev.caravan.Caravan");
    settings.forEach(
        (key, value) ->
            builder
                .environment()
                .put(
                    key.replace('.', '_').replace('-', '_').toUpperCase(java.util.Locale.ROOT),
                    value));
    child =
        builder
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("out.log").toFile()))
            .start();
    return child;
  }

  private void kill() throws InterruptedException {
    child.destroyForcibly().waitFor();
  }

  private Map<String, String> settings(Path project, Map<String, String> more) {
    Map<String, String> settings = new java.util.HashMap<>(more);
    settings.put("caravan.data", folder.resolve("data").toString());
    settings.put("caravan.projects", project.toString());
    settings.put("caravan.job.heartbeat", "300");
    settings.put("caravan.http.port", String.valueOf(FreePort.find()));
    settings.put("caravan.management.port", "0");
    return settings;
  }

  private Path project() throws IOException {
    Path project = folder.resolve("kill.yaml");
    Files.writeString(
        project,
        """
        project: kill
        connection: warehouse
        sftp: {remote_path: /export, poll_seconds: 1, stable_seconds: 0}
        defaults: {file_pattern: "*.csv", primary_key: id}
        """);
    Files.createDirectories(folder.resolve("data/sftp/export"));
    return project;
  }

  /** Written beside the polled folder and moved in, as a careful uploader does. */
  private void offer(String name, String value) throws IOException {
    Path file = folder.resolve(name);
    try (Writer out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      out.write("id,a,b,c\n");
      for (int i = 0; i < ROWS; i++) {
        // shuffled keys, so that the merge has work to do
        out.write((i * 7919L % ROWS) + "," + value + i + ",some text," + (i % 97) + "\n");
      }
    }
    Files.move(file, folder.resolve("data/sftp/export").resolve(name));
  }

  private static String content(Sql sql) {
    return sql.value(
        "SELECT count(*) || '/' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM t");
  }

  private void until(BooleanSupplier condition) {
    await().atMost(PATIENCE).pollInterval(Duration.ofMillis(2)).until(condition::getAsBoolean);
  }

  @Test
  void leavesTheTableAsBeforeOrAsAfterAndLoadsEachFileOnce() throws Exception {
    TestDatabase database = TestDatabase.create();
    Sql sql = new Sql(database.url(), null, null);
    Map<String, String> settings =
        settings(project(), Map.of("caravan.database.url", database.url()));
    offer("t.csv", "old");
    start(settings);
    until(() -> isCompleted(sql, 1));
    int loads = 1;
    for (Moment moment : Moment.values()) {
      String before = content(sql);
      int loadsBefore = loads++;
      offer("t.csv", moment.name());
      until(() -> moment.isThere(sql, loadsBefore));
      kill();
      until(
          () ->
              sql.rows("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'caravan%'")
                  .isEmpty());
      String after = content(sql);
      boolean committed = !sql.value("SELECT count(*) FROM caravan.load").equals("" + loadsBefore);
      assertThat(after.equals(before)).as(moment.name()).isEqualTo(!committed);
      if (moment == Moment.COPY) {
        assertThat(committed).isFalse();
      }

      start(settings);
      until(() -> isCompleted(sql, loadsBefore + 1));
      assertThat(sql.value("SELECT count(*) FROM t WHERE a LIKE '%s%%'".formatted(moment.name())))
          .isEqualTo("" + ROWS);
      if (committed) {
        assertThat(content(sql)).isEqualTo(after);
      }
      assertThat(sql.rows("SELECT count(*), count(DISTINCT content_sha256) FROM caravan.load"))
          .containsExactly(loads + "|" + loads);
      until(() -> sql.rows("SELECT id FROM caravan.job WHERE state = 'running'").isEmpty());
    }
    assertThat(sql.rows("SELECT DISTINCT code FROM caravan.job WHERE state = 'failed'"))
        .isSubsetOf(List.of("INTERRUPTED"));
  }

  private static boolean isCompleted(Sql sql, int jobs) {
    try {
      return sql.value("SELECT count(*) FROM caravan.job_load WHERE moved_at IS NOT NULL")
          .equals(String.valueOf(jobs));
    } catch (IllegalStateException e) {
      return false; // the tables are not there yet
    }
  }

  @Test
  void recoversItsEmbeddedDatabaseTooAndStopsItAtASignal() throws Exception {
    int port = FreePort.find();
    Map<String, String> settings =
        settings(project(), Map.of("caravan.embedded.database.port", String.valueOf(port)));
    offer("t.csv", "old");
    start(settings);
    Path password = folder.resolve("data/postgres/caravan.password");
    until(() -> Files.exists(password));
    Sql sql =
        new Sql(
            "jdbc:postgresql://127.0.0.1:" + port + "/caravan",
            "caravan",
            Files.readString(password).strip());
    until(() -> isCompleted(sql, 1));
    offer("t.csv", "new");
    until(() -> Moment.COPY.isThere(sql, 1));
    kill();
    start(settings);
    until(() -> isCompleted(sql, 2));
    assertThat(sql.value("SELECT count(*) FROM t WHERE a LIKE 'new%'")).isEqualTo("" + ROWS);
    assertThat(sql.value("SELECT count(*) FROM caravan.load")).isEqualTo("2");
    child.destroy();
    assertThat(child.waitFor(40, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
    assertThat(folder.resolve("data/postgres/postmaster.pid")).doesNotExist();
  }
}
