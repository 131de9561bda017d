package dev.caravan.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Syncs that nobody starts by hand. */
class SyncSchedulesTest {

  private static final String EVERY_SECOND =
      """
      schedules:
        - name: tickets
          module_id: 70
          provider_type: gate_api
          year: 2024
          cron: "* * * * * ?"
          time_zone: Europe/Zurich
          filters: {a: b}
      """;

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);

  private TestCaravan start(String url, String schedules) throws Exception {
    Path file = Files.writeString(folder.resolve("schedules.yaml"), schedules);
    Map<String, String> settings = new HashMap<>(ModuleSyncTest.settings(folder, url));
    settings.put("caravan.sync.schedules", file.toString());
    return TestCaravan.start(database, folder, settings);
  }

  @Test
  void startsASyncAtEachInstantAndTriesAgainWhileItsSourceIsAway() throws Exception {
    try (CarPark park = new CarPark();
        TestCaravan caravan = start(park.then(503, "").url(), EVERY_SECOND)) {
      sql.execute("INSERT INTO module_types VALUES (1, 'parking')");
      sql.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025)");
      sql.execute("INSERT INTO modules (id, inventory_id, module_type_id) VALUES (70, 7, 1)");
      await()
          .atMost(Duration.ofSeconds(40))
          .until(
              () ->
                  sql.value(
                      "SELECT count(*) >= 2 FROM data_ingestion_jobs WHERE status = 'completed'"),
              "t"::equals);
      assertThat(
              sql.rows(
                  "SELECT DISTINCT year, provider_type, created_by, metadata #>> '{filters,a}' FROM data_ingestion_jobs"))
          .containsExactly("2024|gate_api|schedule tickets|b");
      assertThat(caravan.texts("SELECT DISTINCT code FROM caravan.job_error"))
          .contains("SOURCE_UNAVAILABLE");
      assertThat(
              sql.value(
                  "SELECT count(*) > 0 FROM caravan.schedule_fire WHERE schedule = 'sync-tickets' AND outcome = 'launched'"))
          .isEqualTo("t");
    }
  }

  @Test
  void whatIsWrongInTheFileStopsTheStartWithItsPlace() {
    refuses(
        EVERY_SECOND.replace("year: 2024", "year: 2024\n    yaer: 1"), "schedules.yaml", "yaer");
    refuses(EVERY_SECOND.replace("    year: 2024\n", ""), "schedules.0.year");
    refuses(
        EVERY_SECOND.replace("provider_type: gate_api", "provider_type:"),
        "provider_type: missing");
    refuses(EVERY_SECOND.replace("module_id: 70", "module_id: seventy"), "schedules", "module_id");
    refuses(EVERY_SECOND.replace("* * * * * ?", "daily"), "cron", "'daily'", "0 0 2 * * ?");
    refuses(EVERY_SECOND.replace("Europe/Zurich", "Zurich"), "time_zone", "'Zurich'");
    refuses(EVERY_SECOND.replace("name: tickets", "name: a b"), "name", "'a b'");
  }

  private void refuses(String schedules, String... parts) {
    var thrown = assertThatThrownBy(() -> start("http://127.0.0.1:1", schedules).close());
    for (String part : parts) {
      thrown.hasStackTraceContaining(part);
    }
  }
}
