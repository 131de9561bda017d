package dev.caravan.source.tableau;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.ApiKey;
import dev.caravan.access.Role;
import dev.caravan.access.jdbc.ApiKeys;
import dev.caravan.database.Database;
import dev.caravan.testing.Api;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sync whose process is killed, twice, finishes on its own once Caravan runs again. */
class SyncKillTest {

  private static final int FLIGHTS = 30_000;
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);
  private final int port = FreePort.find();
  private Process caravan;

  @AfterEach
  void end() {
    caravan.destroyForcibly();
  }

  private void start(TableauServer tableau, String fault) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-Dcaravan.fault=" + fault,
                "-cp",
                System.getProperty("java.class.path"),
                "dev.caravan.Caravan")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("out.log").toFile()));
    Map<String, String> settings = new HashMap<>(TableauRoutes.settings(tableau.url()));
    settings.put("caravan.database.url", database.url());
    settings.put("caravan.data", folder.resolve("data").toString());
    settings.put("caravan.projects", "");
    settings.put("caravan.job.heartbeat", "300");
    settings.put("caravan.http.port", String.valueOf(port));
    settings.put("caravan.management.port", "0");
    settings.forEach(
        (key, value) ->
            builder.environment().put(key.replaceAll("[.-]", "_").toUpperCase(Locale.ROOT), value));
    caravan = builder.start();
  }

  private void awaitDeath() throws InterruptedException {
    assertThat(caravan.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  private int launch() throws Exception {
    ApiKey key = ApiKey.create();
    new ApiKeys(database.dataSource(), null).create("default", Role.OPERATOR, "test", key, null);
    Api operator =
        new Api(
            URI.create("http://127.0.0.1:" + port),
            Map.of("Authorization", "Bearer " + key.secret()));
    HttpResponse<String> answer =
        await()
            .atMost(PATIENCE)
            .ignoreExceptions()
            .until(
                () ->
                    operator.post(
                        "/api/v1/sync/data-entries/70",
                        "{\"provider_type\":\"tableau_api\",\"year\":2025}"),
                a -> a.statusCode() != 503);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    return Api.json(answer).get("job_id").intValue();
  }

  @Test
  void finishesOnItsOwnAndDoublesNothing() throws Exception {
    try (Database migrated = Database.open("test", database.url(), null, null, 2)) {
      migrated.migrate();
    }
    sql.execute(
        """
        INSERT INTO module_types VALUES (1, 'travel');
        INSERT INTO inventories VALUES (7, 'EPFL', 2025);
        INSERT INTO modules (id, inventory_id, module_type_id) VALUES (70, 7, 1)""");
    try (TableauServer tableau = TableauServer.start(new Flights(42, FLIGHTS, false))) {
      start(tableau, "K6:halt"); // rows are being copied
      int sync = launch();
      awaitDeath();
      assertThat(sql.value("SELECT count(*) FROM carbon_reports")).isEqualTo("0");

      start(tableau, "K11:halt"); // committed, and nobody knows
      awaitDeath();
      String flights = String.valueOf(FLIGHTS);
      assertThat(sql.value("SELECT count(*) FROM carbon_reports")).isEqualTo(flights);
      String status = "SELECT status FROM data_ingestion_jobs WHERE id = " + sync;
      assertThat(sql.value(status)).isEqualTo("processing");

      start(tableau, "");
      await().atMost(PATIENCE).until(() -> sql.value(status), "completed"::equals);
      assertThat(sql.value("SELECT count(*) FROM carbon_reports")).isEqualTo(flights);
      assertThat(sql.rows("SELECT rows_inserted, rows_updated FROM caravan.load"))
          .containsExactly(flights + "|0");
      assertThat(sql.rows("SELECT attempt FROM caravan.job WHERE kind = 'module-sync'"))
          .containsExactly("3");
    }
  }
}
