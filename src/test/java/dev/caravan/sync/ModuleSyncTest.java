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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The five calls of contract 2, with a provider that is one YAML file: that of the walk-through.
 */
class ModuleSyncTest {

  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final Sql SQL = new Sql(DATABASE.url(), null, null);
  private static final AtomicInteger YEAR = new AtomicInteger(2000);

  @TempDir static Path folder;
  private static CarPark park;
  private static TestCaravan caravan;
  private static Api operator;

  /** A year that no other test syncs. */
  private final int year = YEAR.incrementAndGet();

  @BeforeAll
  static void startCaravan() throws Exception {
    park = new CarPark();
    caravan = TestCaravan.start(DATABASE, folder, settings(folder, park.url()));
    operator = caravan.as("default", Role.OPERATOR);
    SQL.execute("INSERT INTO module_types VALUES (1, 'parking'), (2, 'commuting')");
    SQL.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025)");
    SQL.execute(
        "INSERT INTO modules (id, inventory_id, module_type_id) VALUES (70, 7, 1), (71, 7, 2)");
    SQL.execute("INSERT INTO factor_types VALUES (5, 1, 'cars')");
  }

  /** The routes of Caravan, and the provider as a file of its own. */
  static Map<String, String> settings(Path folder, String url) throws Exception {
    Path provider = folder.resolve("parking.camel.yaml");
    Files.writeString(
        provider,
        ProviderRoutesTest.walkThrough("Routes of your own")
                .replace(
                    "# loads that share a history\n",
                    "\n              - process:\n                  ref: failAfterLoad\n")
            + "- beans:\n    - name: failAfterLoad\n      type: dev.caravan.sync.FailAfterLoad\n"
            + "- route:\n    id: sync-commuting-unchecked-data_entries\n    from:\n"
            + "      uri: direct:sync-commuting-unchecked-data_entries\n      steps: [{log: loads}]\n");
    assertThat(provider).content().contains("ref: failAfterLoad");
    Path mapping = folder.resolve("parking.yaml");
    Files.writeString(mapping, ProviderRoutesTest.walkThrough("Mappings"));
    return Map.of(
        "caravan.providers.parking.url",
        url,
        "caravan.providers.parking.mapping",
        mapping.toString(),
        "camel.main.routesIncludePattern",
        "file:routes/**/*.camel.yaml,file:" + provider);
  }

  @AfterAll
  static void stop() {
    caravan.close();
    park.close();
  }

  private HttpResponse<String> post(Api api, String path, String more) {
    return api.post(
        "/api/v1/sync" + path,
        "{\"provider_type\":\"gate_api\",\"year\":%d%s}".formatted(year, more));
  }

  private int started(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    int id = Api.json(answer).get("job_id").intValue();
    assertThat(answer.headers().firstValue("Location")).hasValue("/api/v1/sync/status/" + id);
    return id;
  }

  private int start() {
    return started(post(operator, "/data-entries/70", ""));
  }

  private static JsonNode status(int id) {
    HttpResponse<String> answer = operator.get("/api/v1/sync/status/" + id);
    assertThat(answer.statusCode()).isEqualTo(200);
    return Api.json(answer);
  }

  private static JsonNode awaitStatus(int id, String status) {
    return await(status)
        .atMost(Duration.ofSeconds(30))
        .until(() -> status(id), s -> s.get("status").textValue().equals(status));
  }

  @Test
  void bringsRecordsOfAProviderThatTheCodeHasNeverHeardOf() {
    HttpResponse<String> answer =
        post(operator, "/data-entries/70", ",\"filters\":{\"a\":\"b\"},\"config\":{}");
    int id = started(answer);
    assertThat(Api.json(answer).get("status").textValue()).isIn("pending", "processing");
    assertThat(Api.json(answer).get("status_code").intValue()).isEqualTo(102);
    assertThat(Api.json(answer).has("metadata")).isFalse();

    JsonNode done = awaitStatus(id, "completed");
    assertThat(done.get("status_code").intValue()).isEqualTo(200);
    assertThat(done.get("progress").toString())
        .isEqualTo("{\"fetched\":3,\"completed\":3,\"transformed\":3}");
    assertThat(done.get("message").textValue()).endsWith("0 rejected");
    assertThat(done.at("/metadata/filters/a").textValue()).isEqualTo("b");
    assertThat(done.get("started_at").textValue()).isNotBlank();
    assertThat(done.get("completed_at").textValue()).isNotBlank();

    String job = done.at("/metadata/job").textValue();
    JsonNode report = Api.json(operator.get("/api/v1/jobs/" + job));
    assertThat(report.at("/kind").textValue()).isEqualTo("module-sync");
    assertThat(report.at("/file_results/0/filename").textValue()).isEqualTo("gate_api " + year);
    assertThat(report.at("/file_results/0/table_name").textValue())
        .isEqualTo("public.parking_entries");
    assertThat(operator.get("/api/v1/jobs/" + job + "/rejects").statusCode()).isEqualTo(200);
    assertThat(
            SQL.rows(
                "SELECT inventory_id, module_id, module_type_id, factor_type_id, provider_type, target_type, year, status, status_code FROM data_ingestion_jobs WHERE id = "
                    + id))
        .containsExactly("7|70|1|null|gate_api|data_entries|" + year + "|completed|200");
    assertThat(
            SQL.value(
                "SELECT last_sync_status #>> '{gate_api,status}' FROM modules WHERE id = 70 AND (last_sync_status #>> '{gate_api,at}')::timestamptz <= now()"))
        .isEqualTo("completed");
  }

  @Test
  void aSecondSyncChangesNothingAndSaysSo() {
    awaitStatus(start(), "completed");
    assertThat(awaitStatus(start(), "completed").get("message").textValue())
        .isEqualTo("0 inserted, 0 updated, 3 unchanged, 0 rejected");
  }

  @Test
  void whatIsNotThereIsNotFoundAndMakesNoJob() {
    String before = jobs();
    assertThat(post(operator, "/data-entries/72", "").statusCode()).isEqualTo(404);
    assertThat(post(operator, "/factors/70/6", "").statusCode()).isEqualTo(404);
    assertThat(post(operator, "/factors/71/5", "").statusCode())
        .as("of another type")
        .isEqualTo(404);
    assertThat(operator.get("/api/v1/sync/status/999999").statusCode()).isEqualTo(404);
    assertThat(operator.get("/api/v1/sync/status/2147483648").statusCode()).isEqualTo(404);
    assertThat(operator.get("/api/v1/sync/history/72").statusCode()).isEqualTo(404);
    assertThat(operator.send("POST", "/api/v1/sync/retry/999999").statusCode()).isEqualTo(404);
    assertThat(jobs()).isEqualTo(before);
  }

  private static String jobs() {
    return SQL.value("SELECT count(*) FROM caravan.job");
  }

  @Test
  void whatNoProviderBringsIsRefused() {
    String before = jobs();
    for (String path : new String[] {"/data-entries/71", "/factors/70/5"}) {
      HttpResponse<String> answer = post(operator, path, "");
      assertThat(answer.statusCode()).as(path).isEqualTo(400);
      assertThat(Api.json(answer).get("error_code").textValue()).isEqualTo("NO_PROVIDER");
    }
    HttpResponse<String> unchecked =
        operator.post(
            "/api/v1/sync/data-entries/71", "{\"provider_type\":\"unchecked\",\"year\":2025}");
    assertThat(unchecked.statusCode()).isEqualTo(400);
    assertThat(unchecked.body())
        .contains("NO_PROVIDER", "no route check-commuting-unchecked-data_entries");
    assertThat(jobs()).isEqualTo(before);
  }

  @Test
  void aSourceThatCannotBeReachedIsSaidBeforeThereIsAJob() {
    String before = jobs();
    park.then(503, "");
    HttpResponse<String> answer = post(operator, "/data-entries/70", "");
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body()).contains("SOURCE_UNAVAILABLE", "Car park");
    assertThat(jobs()).isEqualTo(before);
  }

  @Test
  void aViewerReadsAnOperatorStartsAndAnotherTenantSeesNothing() {
    int id = start();
    awaitStatus(id, "completed");
    Api viewer = caravan.as("default", Role.VIEWER);
    assertThat(viewer.get("/api/v1/sync/status/" + id).statusCode()).isEqualTo(200);
    assertThat(viewer.get("/api/v1/sync/history/70").statusCode()).isEqualTo(200);
    assertThat(post(viewer, "/data-entries/70", "").statusCode()).isEqualTo(403);
    assertThat(viewer.send("POST", "/api/v1/sync/retry/" + id).statusCode()).isEqualTo(403);
    Api other = caravan.as("other", Role.ADMIN);
    for (String path : new String[] {"/status/" + id, "/history/70", "/modules"}) {
      assertThat(other.get("/api/v1/sync" + path).statusCode()).as(path).isEqualTo(404);
    }
    assertThat(post(other, "/data-entries/70", "").statusCode()).isEqualTo(404);
    assertThat(other.send("POST", "/api/v1/sync/retry/" + id).statusCode()).isEqualTo(404);
  }

  @Test
  void onlyWhatFailedIsDoneAgainAsANewJob() {
    park.thenTickets(1).then(400, "no");
    int failed = start();
    JsonNode status = awaitStatus(failed, "failed");
    assertThat(status.get("status_code").intValue()).isEqualTo(500);
    assertThat(status.at("/metadata/error_code").textValue()).isEqualTo("SOURCE_REFUSED");
    assertThat(status.get("message").textValue()).contains("Car park");

    int again = started(operator.send("POST", "/api/v1/sync/retry/" + failed));
    assertThat(again).isGreaterThan(failed);
    JsonNode done = awaitStatus(again, "completed");
    assertThat(done.at("/metadata/retry_of").intValue()).isEqualTo(failed);
    HttpResponse<String> refused = operator.send("POST", "/api/v1/sync/retry/" + again);
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(refused.body()).contains("NOT_FAILED", "is completed");

    JsonNode history = Api.json(operator.get("/api/v1/sync/history/70?limit=2")).get("jobs");
    assertThat(history.findValuesAsText("job_id")).containsExactly("" + again, "" + failed);
    assertThat(history.at("/0/year").intValue()).isEqualTo(year);
    assertThat(
            Api.json(operator.get("/api/v1/sync/history/70?provider_type=csv_upload")).get("jobs"))
        .isEmpty();
    assertThat(operator.get("/api/v1/sync/history/70?limit=201").statusCode()).isEqualTo(400);
  }

  @Test
  void aSyncThatIsDoneAgainAsAnyOtherJobHasANumber() {
    park.thenTickets(1).then(400, "no");
    JsonNode failed = awaitStatus(start(), "failed");
    String job = failed.at("/metadata/job").textValue();
    HttpResponse<String> again = operator.send("POST", "/api/v1/jobs/" + job + "/retry");
    assertThat(again.statusCode()).isEqualTo(202);
    int number =
        Integer.parseInt(
            SQL.value(
                "SELECT id FROM caravan.data_ingestion WHERE job_id = '%s'"
                    .formatted(Api.json(again).get("job_id").textValue())));
    assertThat(awaitStatus(number, "completed").at("/metadata/retry_of").intValue())
        .isEqualTo(failed.get("job_id").intValue());
  }

  @Test
  void theSameSyncIsOneJobAndAnotherOneOfTheYearWaits() {
    CountDownLatch rest = new CountDownLatch(1);
    park.thenTickets(1).thenHalf(2_500, rest);
    int first = start();
    JsonNode running =
        await()
            .atMost(Duration.ofSeconds(20))
            .until(() -> status(first), s -> s.get("status_code").intValue() == 103);
    assertThat(running.get("status").textValue()).isEqualTo("processing");
    assertThat(running.at("/progress/fetched").intValue()).isGreaterThan(1_000);
    assertThat(running.get("message").textValue()).startsWith("fetched ");
    assertThat(start()).as("the same").isEqualTo(first);
    int other = started(post(operator, "/data-entries/70", ",\"filters\":{\"x\":1}"));
    assertThat(other).isNotEqualTo(first);
    assertThat(status(other).get("progress").isNull()).isTrue();
    await()
        .during(Duration.ofSeconds(2))
        .atMost(Duration.ofSeconds(5))
        .until(() -> status(other).get("status").textValue().equals("pending"));
    rest.countDown();
    awaitStatus(first, "completed");
    awaitStatus(other, "completed");
    assertThat(
            SQL.value(
                "SELECT (SELECT completed_at FROM data_ingestion_jobs WHERE id = %d) <= (SELECT started_at FROM data_ingestion_jobs WHERE id = %d)"
                    .formatted(first, other)))
        .isEqualTo("t");
  }

  @Test
  void anAttemptAfterOneThatDiedBeforeItsCommitLoadsAll() {
    park.thenTickets(1).thenCut(1_500).thenTickets(1_500);
    JsonNode done = awaitStatus(start(), "completed");
    assertThat(done.at("/metadata/attempts").intValue()).isEqualTo(2);
    assertThat(done.at("/progress/completed").intValue()).isEqualTo(1_500);
    assertThat(SQL.value(loads(done))).isEqualTo("1");
  }

  @Test
  void anAttemptAfterOneThatDiedBehindItsLoadDoublesNothing() {
    String before = SQL.value("SELECT count(*) FROM caravan.load");
    FailAfterLoad.TIMES.set(1);
    JsonNode done = awaitStatus(start(), "completed");
    assertThat(done.at("/metadata/attempts").intValue()).isEqualTo(2);
    assertThat(done.at("/progress/fetched").intValue()).isEqualTo(3);
    assertThat(SQL.value("SELECT count(*) - %s FROM caravan.load".formatted(before)))
        .isEqualTo("1");
    assertThat(SQL.value(loads(done))).isEqualTo("1");
  }

  private static String loads(JsonNode status) {
    return "SELECT count(*) FROM caravan.load WHERE load_id = '%s'"
        .formatted(status.at("/metadata/job").textValue());
  }

  @Test
  void aModuleTellsWhatItCanBeSyncedFrom() {
    JsonNode modules = Api.json(operator.get("/api/v1/sync/modules")).get("modules");
    assertThat(modules.findValuesAsText("id")).contains("70", "71");
    assertThat(modules.at("/1/providers").toString()).contains("gate_api");
    assertThat(modules.at("/0/providers").toString()).doesNotContain("gate_api");
  }

  @Test
  void aTableOfTheBackOfficeThatIsInTheWayKeepsNoJobFromEnding() throws Exception {
    SQL.execute("ALTER TABLE modules RENAME COLUMN last_sync_status TO other");
    try {
      int id = start();
      awaitStatus(id, "completed");
    } finally {
      SQL.execute("ALTER TABLE modules RENAME COLUMN other TO last_sync_status");
    }
  }

  @Test
  void somebodyWhoMayOnlyReadTheViewReadsIt() throws Exception {
    SQL.execute("GRANT SELECT ON data_ingestion_jobs TO caravan_reader");
    SQL.execute("GRANT USAGE ON SCHEMA public TO caravan_reader");
    SQL.execute(
        """
        CREATE FUNCTION as_reader(n int) RETURNS text LANGUAGE sql SET role = 'caravan_reader'
        AS 'SELECT status FROM public.data_ingestion_jobs WHERE id = n'""");
    int id = start();
    awaitStatus(id, "completed");
    assertThat(SQL.value("SELECT as_reader(%d)".formatted(id))).isEqualTo("completed");
  }
}
