package dev.caravan.source.tableau;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.component.resilience4j.ResilienceProcessor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** Whatever Tableau, or something in between, answers: a code, a clear message, nothing loaded. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TableauErrorTest {

  private TableauServer tableau;
  private TableauRoutes routes;

  @BeforeAll
  void start() throws Exception {
    tableau = TableauServer.start(new Flights(42, 20, false));
    routes = new TableauRoutes(tableau.url(), Map.of());
  }

  @AfterAll
  void stop() {
    routes.close();
    tableau.close();
  }

  @AfterEach
  void leavesNothingBehind() {
    // it would open after five errors; it has its own test
    routes
        .context()
        .getProcessor("spare-tableau", ResilienceProcessor.class)
        .transitionToCloseState();
    assertThat(routes.rows()).isZero();
    assertThat(tableau.openSessions()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "400000, SOURCE_REFUSED, cannot read the request",
    "400800, SOURCE_REFUSED, a calculation of the query is wrong",
    "400802, SOURCE_REFUSED, not as its API wants it",
    "400803, SOURCE_REFUSED, compare the fields and filters",
    "400804, SOURCE_TOO_LARGE, set more filters",
    "401001, AUTH_FAILED, check client id",
    "403157, SOURCE_DENIED, its administrator can enable it",
    "403800, SOURCE_DENIED, lacks the capability 'API Access'",
    "404934, SOURCE_REFUSED, correct the mapping",
    "404950, SOURCE_REFUSED, does not know the call",
    "408000, SOURCE_UNAVAILABLE, took it too long",
    "429000, SOURCE_LIMIT, each Creator licence of the site gives 100",
    "500000, SOURCE_UNAVAILABLE, an error of its own",
    "500810, SOURCE_UNAVAILABLE, an empty table",
    "500811, SOURCE_UNAVAILABLE, did not answer",
    "503800, SOURCE_UNAVAILABLE, the VizQL Data Service is down",
    "504000, SOURCE_UNAVAILABLE, took too long"
  })
  void saysWhatEachOfItsCodesMeans(String number, FailureCode code, String meaning) {
    tableau.nextError(number, "details from Tableau");
    CaravanException failure = routes.failure();
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure).hasMessageContainingAll(meaning, number, "It says: details from Tableau");
  }

  @ParameterizedTest
  @CsvSource({
    "301, SOURCE_REFUSED, sends us elsewhere",
    "400, SOURCE_REFUSED, refuses the request",
    "401, AUTH_FAILED, does not accept us",
    "403, SOURCE_DENIED, does not let us",
    "404, SOURCE_REFUSED, no such call",
    "410, SOURCE_REFUSED, refuses the request",
    "408, SOURCE_UNAVAILABLE, took it too long",
    "429, SOURCE_LIMIT, no more requests now",
    "500, SOURCE_UNAVAILABLE, an error of its own",
    "502, SOURCE_UNAVAILABLE, an error of its own",
    "503, SOURCE_UNAVAILABLE, an error of its own"
  })
  void goesByTheStatusWhenTheAnswerIsNotFromTableau(int status, FailureCode code, String meaning) {
    tableau.nextQuery(status, "<html>proxy</html>");
    CaravanException failure = routes.failure();
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure).hasMessageContainingAll(meaning, "HTTP " + status);
  }

  @ParameterizedTest
  @CsvSource({
    "30, 30",
    "3600, 3600",
    "1000000000, 3600",
    "999999999999, 3600",
    "-1, 60",
    "soon, 60"
  })
  void waitsAsLongAsAskedButNotForever(String retryAfter, long seconds) {
    tableau.nextQuery(
        exchange -> {
          exchange.getResponseHeaders().add("Retry-After", retryAfter);
          TableauServer.answer(exchange, 429, "{\"errorCode\":\"429000\"}");
        });
    CaravanException failure = routes.failure();
    assertThat(failure.code().retryable()).isTrue();
    assertThat(failure.retryAfter()).contains(Duration.ofSeconds(seconds));
  }

  @Test
  void understandsADateToWaitFor() {
    String inTwoMinutes =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            ZonedDateTime.now(ZoneOffset.UTC).plusMinutes(2));
    tableau.nextQuery(
        exchange -> {
          exchange.getResponseHeaders().add("Retry-After", inTwoMinutes);
          TableauServer.answer(exchange, 429, "");
        });
    assertThat(routes.failure().retryAfter().orElseThrow())
        .isBetween(Duration.ofSeconds(60), Duration.ofSeconds(120));
  }

  @Test
  void doesNotTakeAnAnswerWithAnErrorBesideItsData() {
    String row = "{\"Sciper\":\"1\"}";
    for (String error :
        List.of(
            "{\"message\":\"half of it\"}",
            "{\"errorCode\":\"401002\",\"message\":\"half of it\"}")) {
      tableau.nextQuery(200, "{\"data\":[%s],\"error\":%s}".formatted(row, error));
      assertThat(routes.failure())
          .hasMessageContainingAll("rows are missing", "half of it")
          .extracting(CaravanException::code)
          .isEqualTo(FailureCode.SOURCE_INCOMPLETE);
    }
    tableau.nextQuery(200, "{\"error\":{\"errorCode\":\"400804\"},\"data\":[%s]}".formatted(row));
    assertThat(routes.failure().code()).isEqualTo(FailureCode.SOURCE_TOO_LARGE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"data\":[{\"Sciper\":\"1\"}; SOURCE_INCOMPLETE; ends in the middle, after 1 whole",
        "{\"data\":[{\"Sciper\":\"1\"},{\"Sci; SOURCE_INCOMPLETE; ends in the middle",
        "{\"data\":[{\"Sciper\":\"1\"}]; SOURCE_INCOMPLETE; ends in the middle",
        "{\"rows\":[]}; BAD_JSON; no array 'data'",
        "{\"data\":{}}; BAD_JSON; no array",
        "{\"data\":[1]}; BAD_JSON; no JSON object",
        "{\"data\":[],\"data\":[]}; BAD_JSON; given twice",
        "<html>; BAD_JSON; not",
        "{\"data\":[{\"Sciper\":\"1\"}]}; HEADER_MISMATCH; 'Centre financier'"
      })
  void doesNotTakeHalfAnAnswer(String body, FailureCode code, String part) {
    tableau.nextQuery(200, body);
    CaravanException failure = routes.failure();
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure).hasMessageContaining(part);
  }

  @Test
  void keepsSecretsOutOfMessagesAndLogs() {
    int before = tableau.tokens.size();
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    PrintStream out = System.out;
    System.setOut(new PrintStream(console, true, StandardCharsets.UTF_8));
    CaravanException failure;
    try {
      tableau.nextQuery(
          exchange ->
              TableauServer.answer(
                  exchange,
                  400,
                  "{\"errorCode\":\"400000\",\"message\":\"bad header X-Tableau-Auth: %s and %s\"}"
                      .formatted(tableau.tokens.get(before + 1), tableau.tokens.get(before))));
      failure = routes.failure();
      LoggerFactory.getLogger(getClass()).error("as a job's end logs it", failure);
    } finally {
      System.setOut(out);
    }
    String log = console.toString(StandardCharsets.UTF_8);
    assertThat(failure).hasMessageContaining("bad header");
    assertThat(log).contains("as a job's end logs it", "bad header");
    for (String secret : secrets(before)) {
      assertThat(failure.getMessage()).doesNotContain(secret);
      assertThat(log).doesNotContain(secret);
    }
  }

  private List<String> secrets(int before) {
    List<String> secrets = new ArrayList<>(tableau.tokens.subList(before, before + 2));
    secrets.add(TableauServer.SECRET_VALUE);
    secrets.add("eyJ");
    return secrets;
  }
}
