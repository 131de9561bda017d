package dev.caravan.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What callers hand in: files of an allowed folder, and rows. */
class EntriesTest {

  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final Sql SQL = new Sql(DATABASE.url(), null, null);

  @TempDir static Path folder;
  private static Path uploads;
  private static TestCaravan caravan;
  private static Api operator;

  @BeforeAll
  static void startCaravan() throws Exception {
    uploads = Files.createDirectory(folder.resolve("uploads"));
    caravan =
        TestCaravan.start(
            DATABASE, folder, Map.of("caravan.providers.csv.folder", uploads.toString()));
    operator = caravan.as("default", Role.OPERATOR);
    SQL.execute(
        "INSERT INTO module_types VALUES (1, 'travel'), (2, 'headcount'), (3, 'purchases')");
    SQL.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025)");
    SQL.execute(
        "INSERT INTO modules (id, inventory_id, module_type_id) VALUES (1, 7, 1), (2, 7, 2), (3, 7, 3)");
    SQL.execute("INSERT INTO factor_types VALUES (5, 2, 'meals')");
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  private static HttpResponse<String> post(String path, String provider, String config) {
    return operator.post(
        "/api/v1/sync" + path,
        "{\"provider_type\":\"%s\",\"year\":2025,\"config\":%s}".formatted(provider, config));
  }

  private static HttpResponse<String> upload(String path, String file) {
    return post(
        path, "csv_upload", new ObjectMapper().createObjectNode().put("file", file).toString());
  }

  private static JsonNode ended(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    String status = "/api/v1/sync/status/" + Api.json(answer).get("job_id").intValue();
    return await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> Api.json(operator.get(status)),
            s -> List.of("completed", "failed").contains(s.get("status").textValue()));
  }

  /** The caller has to correct something, at that place. */
  private static void refused(HttpResponse<String> answer, String pointer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
    JsonNode problem = Api.json(answer);
    assertThat(problem.at("/error_code").textValue()).isEqualTo("INVALID");
    assertThat(problem.at("/errors")).hasSize(1);
    assertThat(problem.at("/errors/0/in").textValue()).isEqualTo("body");
    assertThat(problem.at("/errors/0/at").textValue()).isEqualTo(pointer);
    assertThat(problem.at("/errors/0/detail").textValue()).isNotBlank();
  }

  @Test
  void loadsAFileThatWasUploaded() {
    HttpResponse<String> sent =
        operator
            .with("Content-Type", "text/csv")
            .send(
                "POST",
                "/api/v1/uploads?filename=sent.csv",
                "sciper,centre_financier,function,fte\n9,F9,Dean,1\n"
                    .getBytes(StandardCharsets.UTF_8));
    String id = Api.json(sent).get("upload_id").asText();
    String config = "{\"upload\":\"%s\"}";
    assertThat(
            ended(post("/data-entries/2", "csv_upload", config.formatted(id)))
                .get("message")
                .textValue())
        .startsWith("1 inserted");
    assertThat(SQL.value("SELECT function FROM headcount_entries WHERE sciper = '9'"))
        .isEqualTo("Dean");
    for (String none : List.of(UUID.randomUUID().toString(), "../../x")) {
      refused(post("/data-entries/2", "csv_upload", config.formatted(none)), "/config/upload");
    }
    refused(
        post("/data-entries/2", "csv_upload", "{\"file\":\"a.csv\",\"upload\":\"x\"}"), "/config");
  }

  @Test
  void loadsFilesOfEachModuleType() throws Exception {
    Files.writeString(
        uploads.resolve("travel.csv"),
        """
        sciper,centre_financier,departure_date,origin,destination,origin_code,destination_code,travel_class,supplier,ticket_number,transport_type,round_trip,distance_km,co2_kg
        1,F1,2025-03-01,Geneva,Oslo,GVA,OSL,business,LX,T1,Plane,YES,1500.5,300
        """);
    Files.createDirectories(uploads.resolve("2025"));
    Files.writeString(
        uploads.resolve("2025/heads.csv"),
        "sciper;centre_financier;function;fte\n1;F1;Professor;0.5\n2;F1;\"Post;doc\";1\n");
    Files.writeString(
        uploads.resolve("buy.csv"),
        "id,centre_financier,purchase_date,category,supplier,amount,currency,ignored\np1,F1,2025-02-03,IT,ACME,10.20,CHF,x\np2,F1,2025-02-03,IT,ACME,ten,CHF,x\n");
    Files.writeString(
        uploads.resolve("factors.csv"), "name,value,unit,source\nvegan,0.4,kg,x\nbeef,7,kg,x\n");

    assertThat(ended(upload("/data-entries/1", "travel.csv")).get("message").textValue())
        .startsWith("1 inserted");
    assertThat(
            SQL.rows(
                "SELECT travel_class, round_trip, distance_km, created_by IS NULL FROM carbon_reports"))
        .containsExactly("business|t|1500.5|f");
    assertThat(ended(upload("/data-entries/2", "2025/heads.csv")).get("message").textValue())
        .startsWith("2 inserted");
    assertThat(
            SQL.rows(
                "SELECT function, fte FROM headcount_entries WHERE centre_financier = 'F1' ORDER BY sciper"))
        .containsExactly("Professor|0.5", "Post;doc|1");
    assertThat(ended(upload("/data-entries/3", "buy.csv")).get("message").textValue())
        .isEqualTo("1 inserted, 0 updated, 0 unchanged, 1 rejected");
    assertThat(ended(upload("/factors/2/5", "factors.csv")).get("message").textValue())
        .startsWith("2 inserted");
    assertThat(
            SQL.rows(
                "SELECT factor_type_id, year, source_key, value FROM emission_factors ORDER BY 3"))
        .containsExactly("5|2025|beef|7", "5|2025|vegan|0.4");
    assertThat(ended(upload("/factors/2/5", "factors.csv")).get("message").textValue())
        .contains("2 unchanged");
  }

  @Test
  void namesThatLeadElsewhereAreRefusedBeforeThereIsAJob() throws Exception {
    Path evil = Files.createDirectory(folder.resolve("uploads-evil"));
    Files.writeString(evil.resolve("heads.csv"), "sciper,centre_financier,function,fte\n9,F,x,1\n");
    Files.writeString(uploads.resolve("ok.csv"), "sciper,centre_financier,function,fte\n9,F,x,1\n");
    Files.createSymbolicLink(uploads.resolve("link.csv"), evil.resolve("heads.csv"));
    Files.createSymbolicLink(uploads.resolve("linked"), evil);
    String before = SQL.value("SELECT count(*) FROM caravan.job");
    for (String name :
        List.of(
            "",
            " ",
            ".",
            "..",
            "/",
            "../../etc/passwd",
            "/etc/passwd",
            "a/../../b",
            "a/../ok.csv",
            "./ok.csv",
            "../uploads-evil/heads.csv",
            evil.resolve("heads.csv").toString(),
            uploads.resolve("ok.csv").toString(),
            "%2e%2e/ok.csv",
            "..\\ok.csv",
            "file:///etc/passwd",
            "~/ok.csv",
            "ok.csv\u0000.txt",
            "ok.csv\n",
            "x".repeat(4_097),
            "link.csv",
            "linked/heads.csv")) {
      HttpResponse<String> answer = upload("/data-entries/2", name);
      refused(answer, "/config/file");
      assertThat(answer.body()).doesNotContain(folder.toString());
    }
    refused(post("/data-entries/2", "csv_upload", "{}"), "/config/file");
    refused(post("/data-entries/2", "csv_upload", "{\"file\":[1]}"), "/config/file");
    refused(upload("/data-entries/2", "nothing.csv"), "/config/file");
    Files.writeString(uploads.resolve("short.csv"), "sciper,function\n1,x\n");
    refused(upload("/data-entries/2", "short.csv"), "/config/file");
    Files.writeString(uploads.resolve("empty.csv"), "");
    refused(upload("/data-entries/2", "empty.csv"), "/config/file");
    assertThat(SQL.value("SELECT count(*) FROM caravan.job")).isEqualTo(before);
  }

  @Test
  void aFileThatIsNoCsvFailsAsAWhole() throws Exception {
    Files.writeString(
        uploads.resolve("bad.csv"), "sciper,centre_financier,function,fte\n77,F,x,1\n78,F,x\n");
    JsonNode failed = ended(upload("/data-entries/2", "bad.csv"));
    assertThat(failed.get("status").textValue()).isEqualTo("failed");
    assertThat(failed.get("message").textValue()).contains("Line 3", "COLUMN_COUNT");
    assertThat(SQL.value("SELECT count(*) FROM headcount_entries WHERE sciper = '77'"))
        .isEqualTo("0");
  }

  @Test
  void loadsRowsThatSomebodyEntered() {
    String rows =
        "{\"rows\":[{\"id\":\"m1\",\"amount\":12345678901234567.891,\"currency\":\"CHF\"},{\"id\":\"m2\",\"purchase_date\":\"2025-05-06\"}]}";
    JsonNode done = ended(post("/data-entries/3", "manual_entry", rows));
    assertThat(done.get("message").textValue()).startsWith("2 inserted");
    assertThat(done.at("/metadata/config").has("rows")).isFalse();
    assertThat(
            SQL.rows(
                "SELECT source_key, amount, currency, purchase_date FROM purchase_entries WHERE source_key LIKE 'm%' ORDER BY 1"))
        .containsExactly("m1|12345678901234567.891|CHF|null", "m2|null|null|2025-05-06");
  }

  @Test
  void refusesWhatAreNoRows() {
    String tooMany =
        IntStream.range(0, 1_001)
            .mapToObj(i -> "{\"id\":\"%d\"}".formatted(i))
            .collect(Collectors.joining(","));
    for (String config :
        List.of("{}", "{\"rows\":[]}", "{\"rows\":{}}", "{\"rows\":[" + tooMany + "]}")) {
      refused(post("/data-entries/3", "manual_entry", config), "/config/rows");
    }
    for (String bad : List.of("1", "{\"colour\":\"red\"}", "{\"id\":{\"a\":1}}")) {
      String rows = "{\"rows\":[" + "{\"id\":\"x\"},".repeat(3) + bad + "]}";
      refused(post("/data-entries/3", "manual_entry", rows), "/config/rows/3");
    }
  }

  @Test
  void aDatabaseOfOursThatFailsWhileASyncIsCheckedIsNoFaultOfTheCaller() throws Exception {
    String before = SQL.value("SELECT count(*) FROM caravan.job");
    SQL.execute("ALTER TABLE caravan.upload RENAME TO away");
    try {
      HttpResponse<String> answer =
          post("/data-entries/2", "csv_upload", "{\"upload\":\"%s\"}".formatted(UUID.randomUUID()));
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
      assertThat(answer.headers().firstValue("Retry-After")).isPresent();
      assertThat(Api.json(answer).get("error_code").textValue()).isEqualTo("DB_UNAVAILABLE");
    } finally {
      SQL.execute("ALTER TABLE caravan.away RENAME TO upload");
    }
    assertThat(SQL.value("SELECT count(*) FROM caravan.job")).isEqualTo(before);
  }
}
