package dev.caravan.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a sync refused is seen, corrected and loaded; that is no sync. */
class SyncReplayTest {

  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final Sql SQL = new Sql(DATABASE.url(), null, null);

  @TempDir static Path folder;
  private static CarPark park;
  private static TestCaravan caravan;
  private static Api operator;

  @BeforeAll
  static void startCaravan() throws Exception {
    park = new CarPark();
    caravan = TestCaravan.start(DATABASE, folder, ModuleSyncTest.settings(folder, park.url()));
    operator = caravan.as("default", Role.OPERATOR);
    SQL.execute("INSERT INTO module_types VALUES (1, 'parking')");
    SQL.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025)");
    SQL.execute("INSERT INTO modules (id, inventory_id, module_type_id) VALUES (70, 7, 1)");
    SQL.execute(
        "CREATE TABLE parking_entries (plate text, entered_on date, size text, paid boolean, hours numeric, ticket text PRIMARY KEY, site text, year int)");
  }

  @AfterAll
  static void stop() {
    caravan.close();
    park.close();
  }

  /** Tickets of so many hours each; their plates begin with the letter. */
  private static String tickets(String letter, String... hours) {
    return IntStream.range(0, hours.length)
        .mapToObj(
            i ->
                "{\"Kennzeichen\": \"%s%d\", \"Einfahrt\": \"31.01.2025\", \"Klasse\": \"PKW\", \"Bezahlt\": \"ja\", \"Stunden\": \"%s\"}"
                    .formatted(letter, i, hours[i]))
        .collect(Collectors.joining(",", "{\"tickets\": [", "]}"));
  }

  private static JsonNode sync(int year, String status) {
    HttpResponse<String> answer =
        operator.post(
            "/api/v1/sync/data-entries/70",
            "{\"provider_type\":\"gate_api\",\"year\":%d}".formatted(year));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    String path = "/api/v1/sync/status/" + Api.json(answer).get("job_id").intValue();
    return await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> Api.json(operator.get(path)), s -> s.get("status").textValue().equals(status));
  }

  private static String rejects(String job) {
    return "/api/v1/jobs/" + job + "/rejects";
  }

  private static void fix(String job, int line, String raw) {
    operator.fix(rejects(job) + "/" + line, raw);
  }

  private static JsonNode started(String path) {
    HttpResponse<String> answer = operator.send("POST", path);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    String job = "/api/v1/jobs/" + Api.json(answer).get("job_id").textValue();
    return await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> Api.json(operator.get(job)), ended -> !ended.at("/completed_at").isNull());
  }

  private static JsonNode replay(String job) {
    return started(rejects(job) + "/replay");
  }

  /** All that the back office sees of syncs. */
  private static List<String> syncs() {
    return SQL.rows(
        "SELECT (SELECT jsonb_agg(d ORDER BY id) FROM data_ingestion_jobs d), (SELECT last_sync_status FROM modules)");
  }

  @Test
  void correctedRecordsComeIntoTheTableAndTheStateOfTheModuleStays() {
    park.thenTickets(1).then(200, tickets("A", "1,5", "viele", "lang"));
    JsonNode sync = sync(2001, "completed");
    assertThat(sync.get("message").textValue()).contains("1 inserted", "2 rejected");
    List<String> before = syncs();
    String job = sync.at("/metadata/job").textValue();
    JsonNode page = Api.json(operator.get(rejects(job)));
    assertThat(page.at("/columns").toString())
        .isEqualTo(
            "[\"plate\",\"entered_on\",\"size\",\"paid\",\"hours\",\"ticket\",\"site\",\"year\"]");
    assertThat(page.at("/rejects/0/column").textValue()).isEqualTo("hours");
    String raw = page.at("/rejects/0/raw").textValue();
    assertThat(raw)
        .isEqualTo(
            "\"A1\",\"2025-01-31\",\"car\",\"true\",\"viele\",\"A1|31.01.2025\",\"Lausanne\",\"2001\"");

    fix(job, page.at("/rejects/0/line").intValue(), raw.replace("viele", "2.5"));
    fix(job, page.at("/rejects/1/line").intValue(), page.at("/rejects/1/raw").textValue());
    JsonNode first = replay(job);
    assertThat(first.at("/status").textValue()).as(first.toString()).isEqualTo("completed");
    assertThat(first.at("/kind").textValue()).isEqualTo("replay-rejects");
    assertThat(first.at("/result/inserted").intValue()).isEqualTo(1);
    assertThat(first.at("/result/rejected").intValue()).isEqualTo(1);
    assertThat(SQL.rows("SELECT plate, hours FROM parking_entries WHERE year = 2001 ORDER BY 1"))
        .containsExactly("A0|1.5", "A1|2.5");
    assertThat(Api.json(operator.get(rejects(job))).get("rejects").findValuesAsText("status"))
        .containsExactly("replayed", "replayed");

    String again = first.at("/job_id").textValue();
    JsonNode still = Api.json(operator.get(rejects(again))).at("/rejects/0");
    fix(
        again,
        still.at("/line").intValue(),
        still.at("/raw").textValue().replace("\"lang\"", "\"9\""));
    assertThat(replay(again).at("/result/inserted").intValue())
        .as("what a replay refused is replayed, too")
        .isEqualTo(1);
    assertThat(SQL.value("SELECT sum(hours) FROM parking_entries WHERE year = 2001"))
        .isEqualTo("13.0");

    JsonNode nothing = replay(job);
    assertThat(nothing.at("/error_code").textValue()).isEqualTo("EMPTY_FILE");
    started("/api/v1/jobs/" + nothing.at("/job_id").textValue() + "/retry");
    assertThat(syncs()).isEqualTo(before);
  }

  @Test
  void aSyncThatFailedAtItsLoadTellsOfItAndOfWhatItRefused() {
    park.thenTickets(1).then(200, tickets("B", "viele", "lang"));
    JsonNode sync = sync(2002, "failed");
    assertThat(sync.at("/metadata/error_code").textValue()).isEqualTo("TOO_MANY_REJECTS");
    String job = sync.at("/metadata/job").textValue();
    JsonNode file = Api.json(operator.get("/api/v1/jobs/" + job)).at("/file_results/0");
    assertThat(file.at("/filename").textValue()).isEqualTo("gate_api 2002");
    assertThat(file.at("/table_name").textValue()).isEqualTo("public.parking_entries");
    assertThat(file.at("/status").textValue()).isEqualTo("failed");
    assertThat(file.at("/error_code").textValue()).isEqualTo("TOO_MANY_REJECTS");
    JsonNode rejects = Api.json(operator.get(rejects(job))).get("rejects");
    assertThat(rejects).hasSize(2);
    fix(job, 1, rejects.at("/0/raw").textValue().replace("viele", "1"));
    assertThat(replay(job).at("/result/inserted").intValue()).isEqualTo(1);
  }
}
