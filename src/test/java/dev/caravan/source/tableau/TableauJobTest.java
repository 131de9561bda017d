package dev.caravan.source.tableau;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Flights as jobs: started by the API, tried again by the queue. */
class TableauJobTest {

  private static final String START =
      "{\"provider_type\":\"tableau_api\",\"year\":2025,\"filters\":{}}";

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);

  private TestCaravan start(TableauServer tableau, String secret) throws Exception {
    Map<String, String> settings = new HashMap<>(TableauRoutes.settings(tableau.url()));
    settings.put("caravan.providers.tableau.secret-value", secret);
    TestCaravan caravan = TestCaravan.start(database, folder, settings);
    sql.execute("INSERT INTO module_types VALUES (1, 'travel')");
    sql.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025)");
    sql.execute("INSERT INTO modules (id, inventory_id, module_type_id) VALUES (1, 7, 1)");
    return caravan;
  }

  private static JsonNode ended(Api api, HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    String status = "/api/v1/sync/status/" + Api.json(answer).get("job_id").intValue();
    return await()
        .atMost(Duration.ofSeconds(40))
        .until(
            () -> Api.json(api.get(status)),
            s -> List.of("completed", "failed").contains(s.get("status").textValue()));
  }

  @Test
  void aYearComesThroughTheQueueAlsoWhenTableauWantsToBeLeftAloneForAWhile() throws Exception {
    try (TableauServer tableau = TableauServer.start(new Flights(42, 3_000, false));
        TestCaravan caravan = start(tableau, TableauServer.SECRET_VALUE)) {
      tableau.nextQuery(
          exchange -> {
            exchange.getResponseHeaders().add("Retry-After", "3");
            TableauServer.answer(
                exchange, 429, "{\"errorCode\":\"429000\",\"message\":\"Too many requests\"}");
          });
      tableau.nextError("401002", "Invalid authorization credentials");
      Api operator = caravan.as("default", Role.OPERATOR);
      JsonNode done = ended(operator, operator.post("/api/v1/sync/data-entries/1", START));
      assertThat(done.get("message").textValue())
          .isEqualTo("3000 inserted, 0 updated, 0 unchanged, 0 rejected");
      assertThat(done.at("/metadata/attempts").intValue()).isEqualTo(2);
      assertThat(
              sql.rows(
                  "SELECT e.code, j.completed_at - e.at >= interval '2.9 s' FROM caravan.job_error e JOIN caravan.job j ON j.id = e.job_id"))
          .containsExactly("SOURCE_LIMIT|t");
      assertThat(sql.value("SELECT count(*) FROM carbon_reports WHERE inventory_id = 7"))
          .isEqualTo("3000");
      assertThat(tableau.openSessions()).as("only the one that it called ended").isEqualTo(1);

      JsonNode again = ended(operator, operator.post("/api/v1/sync/data-entries/1", START));
      assertThat(again.get("message").textValue()).contains("0 inserted", "3000 unchanged");
      assertThat(
              sql.value(
                  "SELECT last_sync_status #>> '{tableau_api,job_id}' FROM modules WHERE id = 1"))
          .isEqualTo(again.get("job_id").asText());
      String all =
          sql.value(
              "SELECT string_agg(j::text, ' ') || (SELECT coalesce(string_agg(l::text, ' '), '') FROM caravan.job_log l) FROM caravan.job_report j");
      assertThat(all).doesNotContain(TableauServer.SECRET_VALUE);
      assertThat(tableau.tokens).isNotEmpty().allSatisfy(t -> assertThat(all).doesNotContain(t));
    }
  }

  @Test
  void aSignInThatIsRefusedMakesNoJob() throws Exception {
    String wrong = TableauServer.SECRET_VALUE.replace('k', 'x');
    try (TableauServer tableau = TableauServer.start(new Flights(42, 1, false));
        TestCaravan caravan = start(tableau, wrong)) {
      Api operator = caravan.as("default", Role.OPERATOR);
      HttpResponse<String> answer = operator.post("/api/v1/sync/data-entries/1", START);
      assertThat(answer.statusCode()).as("a caller need not try again").isEqualTo(502);
      assertThat(answer.body())
          .contains("\"error_code\":\"SOURCE_REFUSED\"", "AUTH_FAILED", "refuses the sign-in")
          .doesNotContain(wrong);
      assertThat(caravan.jobs()).isEmpty();
    }
  }

  @Test
  void aFilterThatTableauCannotHaveIsRefusedWithItsPlace() throws Exception {
    try (TableauServer tableau = TableauServer.start(new Flights(42, 1, false));
        TestCaravan caravan = start(tableau, TableauServer.SECRET_VALUE)) {
      Api operator = caravan.as("default", Role.OPERATOR);
      HttpResponse<String> answer =
          operator.post("/api/v1/sync/data-entries/1", START.replace("{}", "{\"colour\":\"red\"}"));
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
      JsonNode problem = Api.json(answer);
      assertThat(problem.at("/error_code").textValue()).isEqualTo("INVALID");
      assertThat(problem.at("/errors/0/at").textValue()).isEqualTo("/filters/colour");
      assertThat(problem.at("/errors/0/detail").textValue()).contains("centre_financier");
      assertThat(caravan.jobs()).isEmpty();
      assertThat(tableau.calls).isEmpty();
    }
  }

  @Test
  void aLoadThatFailsIsRecordedAlthoughTheSessionIsSignedOutBehindIt() throws Exception {
    try (TableauServer tableau = TableauServer.start(new Flights(42, 3, false));
        TestCaravan caravan = start(tableau, TableauServer.SECRET_VALUE)) {
      sql.execute("ALTER TABLE carbon_reports DROP COLUMN supplier");
      Api operator = caravan.as("default", Role.OPERATOR);
      ended(operator, operator.post("/api/v1/sync/data-entries/1", START));
      assertThat(sql.rows("SELECT label, table_name, status, code FROM caravan.job_load"))
          .containsExactly("tableau_api 2025|public.carbon_reports|failed|UNKNOWN_COLUMN");
    }
  }
}
