package dev.caravan.source.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import dev.caravan.testing.StubSource;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One table for each kind: of requests, of pages, of answers. */
@Timeout(30)
class HttpSourceTest {

  private static final ObjectMapper YAML = new YAMLMapper();

  private StubSource stub;

  @BeforeEach
  void start() throws Exception {
    stub = StubSource.start();
  }

  @AfterEach
  void stop() {
    stub.close();
  }

  private HttpSource source(String yaml) throws Exception {
    ObjectNode document = (ObjectNode) YAML.readTree(yaml);
    if (!document.has("url")) {
      document.put("url", stub.url() + "/v2");
    }
    return new HttpSource("Stub", document);
  }

  private List<Map<String, ?>> records(String yaml, Map<String, ?> parameters) throws Exception {
    List<Map<String, ?>> records = new ArrayList<>();
    try (HttpSource source = source(yaml);
        HttpRecords read = source.read(parameters, null)) {
      read.forEachRemaining(records::add);
    }
    return records;
  }

  private List<String> ids(String yaml) throws Exception {
    return records(yaml, Map.of()).stream().map(r -> String.valueOf(r.get("id"))).toList();
  }

  private CaravanException failure(String yaml) {
    try {
      List<String> ids = ids(yaml);
      throw new AssertionError("did not fail, and read " + ids);
    } catch (CaravanException e) {
      return e;
    } catch (Exception e) {
      throw new AssertionError("not a failure with a code", e);
    }
  }

  private static String page(String beside, int... ids) {
    StringBuilder records = new StringBuilder();
    for (int id : ids) {
      records.append(records.length() == 0 ? "" : ",").append("{\"id\":").append(id).append('}');
    }
    return "{%s\"data\":[%s]}".formatted(beside.isEmpty() ? "" : beside + ",", records);
  }

  // what is asked

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a b",
        "a/b",
        "a?b",
        "a&b=c",
        "a#b",
        "a%41",
        "ä€",
        "a+b",
        "${x}",
        "{{x}}",
        "{name}",
        "a;b",
        "a@b:c",
        "'\"<>",
        "\u0000\r\nX: y",
        "../.."
      })
  void aParameterIsOneStepOfThePathAndOneValueOfTheQuery(String text) throws Exception {
    stub.then(200, "[]");
    records(
        "{parameters: {name: {type: string}}, request: {path: [x, '{name}', y], query: {q: 'a{name}', c: 1}}}",
        Map.of("name", text));
    String target = stub.targets().get(0);
    assertThat(target.chars()).allMatch(c -> c > ' ' && c < 127);
    String[] parts = target.split("[?]", -1);
    assertThat(parts).hasSize(2);
    String[] steps = parts[0].split("/", -1);
    assertThat(steps).hasSize(5);
    assertThat(decoded(steps[3])).isEqualTo(text);
    String[] values = parts[1].split("&", -1);
    assertThat(values).hasSize(2);
    assertThat(decoded(values[0])).isEqualTo("q=a" + text);
  }

  private static String decoded(String text) {
    return java.net.URLDecoder.decode(
        text.replace("+", "%2B"), java.nio.charset.StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", ".."})
  void refusesAStepThatWouldLeadElsewhere(String text) {
    assertThatThrownBy(
            () ->
                records(
                    "{parameters: {name: {type: string}}, request: {path: ['{name}']}}",
                    Map.of("name", text)))
        .isInstanceOfSatisfying(
            InvalidParameter.class, e -> assertThat(e.pointer()).isEqualTo("/name"));
    assertThat(stub.calls()).isEmpty();
  }

  @Test
  void takesParametersIntoHeadersFormAndBody() throws Exception {
    stub.always(exchange -> StubSource.send(exchange, 200, "[]"));
    String declared = "parameters: {a: {type: string}, n: {type: array}, o: {optional: true}}";
    Map<String, ?> given = Map.of("a", "x\"&{n}", "n", List.of(1, new BigDecimal("2.50")));
    records(
        "{%s, request: {headers: {X-A: 'v {a}'}, body: {a: '<{a}>', n: '{n}', k: [true, {z: '{a}'}]}}}"
            .formatted(declared),
        given);
    records("{%s, request: {form: {a: '{a}', o: '{o}', l: [1, 2]}}}".formatted(declared), given);
    StubSource.Call body = stub.calls().get(0);
    assertThat(body.method()).isEqualTo("POST");
    assertThat(body.headers())
        .containsEntry("x-a", "v x\"&{n}")
        .containsEntry("user-agent", "Caravan");
    assertThat(body.body())
        .isEqualTo("{\"a\":\"<x\\\"&{n}>\",\"n\":[1,2.50],\"k\":[true,{\"z\":\"x\\\"&{n}\"}]}");
    StubSource.Call form = stub.calls().get(1);
    assertThat(form.body()).isEqualTo("a=x%22%26%7Bn%7D&l=1&l=2");
    assertThat(form.headers())
        .containsEntry("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
  }

  @Test
  void refusesParametersThatAreNotAsDeclaredWithTheirPlace() throws Exception {
    String yaml =
        "{parameters: {year: {type: integer, minimum: 1900}, filters.country: {type: string, pattern: '[A-Z]{3}', default: BEN}},"
            + " request: {path: ['{filters.country}', '{year}']}}";
    assertThat(refused(yaml, Map.of()).pointer()).isEqualTo("/year");
    assertThat(refused(yaml, Map.of("year", "x")).pointer()).isEqualTo("/year");
    assertThat(refused(yaml, Map.of("year", 1066))).hasMessageContaining("1900");
    assertThat(refused(yaml, Map.of("year", 2024, "filters", Map.of("country", "BENx"))).pointer())
        .isEqualTo("/filters/country");
    assertThat(refused(yaml, Map.of("year", 2024, "filters", Map.of("colour", "red"))))
        .hasMessageContaining("/filters/colour: not known here; allowed are country");
    assertThat(stub.calls()).isEmpty();
    stub.then(200, "[]");
    records(yaml, Map.of("year", 2024, "filters", Map.of()));
    assertThat(stub.targets()).containsExactly("/v2/BEN/2024");
  }

  private InvalidParameter refused(String yaml, Map<String, ?> parameters) {
    try {
      records(yaml, parameters);
      throw new AssertionError("was taken");
    } catch (InvalidParameter e) {
      return e;
    } catch (Exception e) {
      throw new AssertionError("not refused with a place", e);
    }
  }

  @Test
  void saysAllThatIsWrongWithASource() {
    assertThatThrownBy(
            () ->
                source(
                    "{url: 'http://example.org', auth: {type: header, header: K, secret: tiny-one}, request: {path: ['{a}'], query: {p: '{b}'}},"
                        + " parameters: {a: {optional: true}}, pages: {kind: cursor, query: p}}"))
        .isInstanceOf(CaravanException.class)
        .hasMessageContainingAll(
            "allowed is https", "{a}", "{b}", "pages.at", "'p' belongs to pages")
        .hasMessageNotContaining("tiny-one");
  }

  // pages

  @Test
  void readsNumberedPages() throws Exception {
    String yaml =
        "{pages: {kind: page, query: page, last: /pages, number: /page}, answer: {records: /data, total: /total}}";
    stub.then(200, page("\"page\":1,\"pages\":3,\"total\":5", 1, 2))
        .then(200, page("\"page\":2,\"pages\":\"3\",\"total\":\"5\"", 3, 4))
        .then(200, page("\"page\":3,\"pages\":3,\"total\":5", 5));
    assertThat(ids(yaml)).containsExactly("1", "2", "3", "4", "5");
    assertThat(stub.targets()).containsExactly("/v2?page=1", "/v2?page=2", "/v2?page=3");
  }

  @Test
  void readsNumberedPagesUpToAnEmptyOneWhereNothingTellsTheLast() throws Exception {
    stub.then(200, page("", 1, 2)).then(200, page("", 3)).then(200, page(""));
    assertThat(ids("{pages: {kind: page, query: p, first: 0}, answer: {records: /data}}"))
        .containsExactly("1", "2", "3");
    assertThat(stub.targets()).containsExactly("/v2?p=0", "/v2?p=1", "/v2?p=2");
  }

  @Test
  void readsByOffsetAlsoWhereAPageIsShorterThanWanted() throws Exception {
    stub.then(200, page("", 1, 2)).then(200, page("", 3)).then(200, page(""));
    assertThat(
            ids(
                "{request: {query: {limit: 9}}, pages: {kind: offset, query: o}, answer: {records: /data}}"))
        .containsExactly("1", "2", "3");
    assertThat(stub.targets())
        .containsExactly("/v2?limit=9&o=0", "/v2?limit=9&o=2", "/v2?limit=9&o=3");
    stub.then(200, page("\"total\":2", 1)).then(200, page("\"total\":2", 2));
    assertThat(ids("{pages: {kind: offset, query: o}, answer: {records: /data, total: /total}}"))
        .containsExactly("1", "2");
  }

  @Test
  void followsCursors() throws Exception {
    String yaml = "{pages: {kind: cursor, query: c, at: /next%s}, answer: {records: /data}}";
    stub.then(200, page("\"next\":\"a b&\"", 1)).then(200, "{\"data\":[{\"id\":2}],\"next\":null}");
    assertThat(ids(yaml.formatted(""))).containsExactly("1", "2");
    assertThat(stub.targets()).containsExactly("/v2", "/v2?c=a%20b%26");
    stub.then(200, page("\"next\":7,\"more\":true", 1)).then(200, page("\"more\":false", 2));
    assertThat(ids(yaml.formatted(", more: /more"))).containsExactly("1", "2");
    stub.then(200, page("", 1));
    assertThat(ids(yaml.formatted(", missing_ends: true"))).containsExactly("1");
  }

  @Test
  void followsLinks() throws Exception {
    stub.then(
            200,
            "[{\"id\":1}]",
            "Link",
            "</v2?p=9>; rel=\"last\", <%s/v2?p=2>; rel=\"next\"".formatted(stub.url()))
        .then(200, "[{\"id\":2}]", "Link", "<?p=3>; title=x; rel=next")
        .then(200, "[{\"id\":3}]", "Link", "</v2>; rel=\"first prev\"");
    assertThat(ids("{pages: {kind: link}}")).containsExactly("1", "2", "3");
    assertThat(stub.targets()).containsExactly("/v2", "/v2?p=2", "/v2?p=3");
    stub.then(200, page("\"links\":{\"next\":\"/v2?q=2\"}", 1))
        .then(200, page("\"links\":{\"next\":null}", 2));
    assertThat(ids("{pages: {kind: next, at: /links/next}, answer: {records: /data}}"))
        .containsExactly("1", "2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://evil.example/v2?p=2", "https://127.0.0.1/v2", "//evil.example/x",
        "http://u:p@127.0.0.1/v2", "http://127.0.0.1:1/v2", "file:///etc/passwd"
      })
  void asksNoOtherServerForTheNextPage(String next) {
    stub.then(200, page("\"next\":\"" + next + "\"", 1));
    CaravanException failure =
        failure("{pages: {kind: next, at: /next}, answer: {records: /data}}");
    assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_REFUSED);
    assertThat(failure).hasMessageContaining("another server");
    assertThat(stub.calls()).hasSize(1);
  }

  private static final String PAGES =
      "{pages: {kind: page, query: page, last: /pages, number: /page}, answer: {records: /data, total: /total, version: /v}}";

  private void failsWith(FailureCode code, String says, String yaml, String... pages) {
    for (String page : pages) {
      stub.then(200, page);
    }
    CaravanException failure = failure(yaml);
    assertThat(failure.code()).as(failure.getMessage()).isEqualTo(code);
    assertThat(failure).hasMessageContaining(says);
    assertThat(stub.calls()).hasSize(pages.length);
  }

  @Test
  void aPageThatIsMissingRepeatedOrChangedIsAFailure() throws Exception {
    String one = "\"v\":1,\"page\":1,\"pages\":2,\"total\":2";
    String two = "\"v\":1,\"page\":2,\"pages\":2,\"total\":2";
    Map<String, FailureCode> second =
        Map.of(
            page(two),
            FailureCode.SOURCE_INCOMPLETE, // no records, and so one too few
            page(one, 1),
            FailureCode.BAD_ANSWER, // the first page again
            page(two.replace("\"pages\":2", "\"pages\":3"), 2),
            FailureCode.SOURCE_CHANGED,
            page(two.replace("\"total\":2", "\"total\":3"), 2),
            FailureCode.SOURCE_CHANGED,
            page(two.replace("\"v\":1", "\"v\":2"), 2),
            FailureCode.SOURCE_CHANGED,
            page(two.replace("\"v\":1,", ""), 2),
            FailureCode.BAD_ANSWER,
            page(two.replace("\"pages\":2,", ""), 2),
            FailureCode.BAD_ANSWER,
            page(two.replace("\"total\":2", "\"total\":null"), 2),
            FailureCode.BAD_ANSWER,
            page(two, 2, 3),
            FailureCode.SOURCE_INCOMPLETE,
            "{" + two + ",\"rows\":[]}",
            FailureCode.BAD_ANSWER);
    for (Map.Entry<String, FailureCode> answer : second.entrySet()) {
      stub.then(200, page(one, 1)).then(200, answer.getKey());
      CaravanException failure = failure(PAGES);
      assertThat(failure.code()).as(answer.getKey() + failure).isEqualTo(answer.getValue());
    }
    stub.then(200, page(one, 1)).then(404, "");
    assertThat(failure(PAGES).code()).isEqualTo(FailureCode.SOURCE_REFUSED);
  }

  @Test
  void pagesThatDoNotMoveOnAreAFailure() {
    failsWith(
        FailureCode.BAD_ANSWER,
        "know the parameter 'p'",
        "{pages: {kind: page, query: p}, answer: {records: /data}}",
        page("", 1),
        page("", 1));
  }

  @Test
  void aCursorThatComesAgainIsAFailure() {
    failsWith(
        FailureCode.BAD_ANSWER,
        "came before",
        "{pages: {kind: cursor, query: c, at: /n}, answer: {records: /data}}",
        page("\"n\":1", 1),
        page("\"n\":1", 2));
  }

  @Test
  void aPlaceThatWasRenamedIsNoLastPage() {
    failsWith(
        FailureCode.BAD_ANSWER,
        "nothing at /next, not even null",
        "{pages: {kind: cursor, query: c, at: /next}, answer: {records: /data}}",
        page("\"following\":1", 1));
  }

  @Test
  void moreThanThereIsACursorForIsAFailure() {
    failsWith(
        FailureCode.BAD_ANSWER,
        "no cursor",
        "{pages: {kind: cursor, query: c, at: /n, more: /m}, answer: {records: /data}}",
        page("\"m\":true", 1));
  }

  @Test
  void anAnswerThatWasCutAtItsLimitIsAFailure() {
    failsWith(
        FailureCode.SOURCE_INCOMPLETE,
        "has cut the answer",
        "{answer: {records: /data, limit: 2}}",
        page("", 1, 2));
  }

  @Test
  void endsWhereThereAreMorePagesThanAllowed() {
    failsWith(
        FailureCode.SOURCE_TOO_LARGE,
        "more than 1 pages",
        "{pages: {kind: page, query: p}, answer: {records: /data}, limits: {pages: 1}}",
        page("", 1));
  }

  // answers

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'rows':[]} | BAD_ANSWER",
        "{'data':{}} | BAD_ANSWER",
        "{'data':null} | BAD_ANSWER",
        "{'data':'x'} | BAD_ANSWER",
        "[] | BAD_ANSWER",
        "x | BAD_ANSWER",
        "\"x\" | BAD_ANSWER",
        "null | BAD_ANSWER",
        "'' | BAD_ANSWER",
        "<html>busy</html> | BAD_ANSWER",
        "{'data':[1]} | BAD_ANSWER",
        "{'data':[{'id':1}] | SOURCE_INCOMPLETE",
        "{'data':[{'id':1} | SOURCE_INCOMPLETE",
        "{'data':[{'id':1 | SOURCE_INCOMPLETE",
        "{'data':[{'id':1}]} {'data':[]} | BAD_ANSWER",
        "{'data':[{'id':1},}]} | BAD_JSON",
        "{'data':[],'error':'no such thing'} | SOURCE_REFUSED",
        "{'error':{'code':1},'data':[{'id':1}]} | SOURCE_REFUSED",
        "{'error':{'code':1}} | SOURCE_REFUSED"
      })
  void nothingThatIsNotUnderstoodIsZeroRows(String body, FailureCode code) {
    stub.then(200, body.replace('\'', '"'));
    CaravanException failure = failure("{answer: {records: /data, error: /error}}");
    assertThat(failure.code()).as(failure.getMessage()).isEqualTo(code);
  }

  @Test
  void anEmptyAnswerThatIsUnderstoodHasNoRecords() throws Exception {
    stub.then(200, page("\"error\":\"\"")).then(200, "{\"total\":0,\"data\":null}").then(204, "");
    assertThat(ids("{answer: {records: /data, error: /error}}")).isEmpty();
    assertThat(ids("{answer: {records: /data, total: /total}}")).isEmpty();
    assertThat(ids("{answer: {records: /data, none: [204]}}")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "204, BAD_ANSWER", "202, BAD_ANSWER", "206, BAD_ANSWER", "304, BAD_ANSWER",
    "301, SOURCE_REFUSED", "400, SOURCE_REFUSED", "401, AUTH_FAILED", "403, SOURCE_DENIED",
    "404, SOURCE_REFUSED", "409, SOURCE_REFUSED", "422, SOURCE_REFUSED", "429, SOURCE_LIMIT",
    "500, SOURCE_UNAVAILABLE", "502, SOURCE_UNAVAILABLE", "503, SOURCE_UNAVAILABLE"
  })
  void eachStatusHasItsCode(int status, FailureCode code) {
    stub.then(status, "", "Location", "http://127.0.0.1:1/");
    assertThat(failure("{}").code()).isEqualTo(code);
    assertThat(stub.calls()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "400 | <html>again</html> | {status: 4xx, json: false, code: SOURCE_UNAVAILABLE} | SOURCE_UNAVAILABLE",
        "400 | {'m':'bad'} | {status: 4xx, json: false, code: SOURCE_UNAVAILABLE} | SOURCE_REFUSED",
        "403 | {'m':'Out of call volume quota.'} | {status: 403, at: /m, contains: quota, code: SOURCE_LIMIT} | SOURCE_LIMIT",
        "403 | {'m':'Forbidden'} | {status: 403, at: /m, contains: quota, code: SOURCE_LIMIT} | SOURCE_DENIED",
        "200 | {'statusCode':429,'data':[]} | {at: /statusCode, code: SOURCE_LIMIT} | SOURCE_LIMIT",
        "200 | <html>x</html> | {status: 200, json: false, code: SOURCE_UNAVAILABLE} | SOURCE_UNAVAILABLE",
        "404 | rate_limited | {contains: rate_limited, code: SOURCE_LIMIT} | SOURCE_LIMIT"
      })
  void rulesSayWhatAnAnswerMeans(int status, String body, String rule, FailureCode code) {
    stub.then(status, body.replace('\'', '"'));
    CaravanException failure = failure("{answer: {records: /data}, rules: [%s]}".formatted(rule));
    assertThat(failure.code()).as(failure.getMessage()).isEqualTo(code);
  }

  @Test
  void waitsAsLongAsTheSourceAsks() {
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(90));
    String milliseconds = "{answer: {retry_after: milliseconds}}";
    assertThat(pause(429, "7", "{}")).isEqualTo(Duration.ofSeconds(7));
    assertThat(pause(503, "7", "{}")).isEqualTo(Duration.ofSeconds(7));
    assertThat(pause(429, "7000", milliseconds)).isEqualTo(Duration.ofSeconds(7));
    assertThat(pause(429, date, milliseconds))
        .isBetween(Duration.ofSeconds(80), Duration.ofSeconds(90));
    assertThat(pause(429, "1000000000", "{}")).isEqualTo(Duration.ofHours(1));
    assertThat(pause(429, "-1", "{}")).isEqualTo(Duration.ofMinutes(1));
  }

  private Duration pause(int status, String retryAfter, String yaml) {
    stub.then(status, "", "Retry-After", retryAfter);
    return failure(yaml).retryAfter().orElseThrow();
  }

  @Test
  void theWordsOfASourceAreShownWithoutOurSecret() {
    stub.then(400, "{\"m\":\"key\\n  s3cret-of-ours \\u001b[31m is wrong\"}");
    CaravanException failure =
        failure(
            "{auth: {type: header, header: K, secret: s3cret-of-ours}, rules: [{at: /m, code: AUTH_FAILED}]}");
    assertThat(failure.code()).isEqualTo(FailureCode.AUTH_FAILED);
    assertThat(failure)
        .hasMessage("Stub: it refuses the request (HTTP 400). It says: key *** [31m is wrong");
  }

  @Test
  void tokensThatAServerRepeatsAreNotShown() {
    stub.then(400, "{\"m\":\"no Bearer abc.def~x, no eyJhbGciOiJI.eyJpc3MiOiJ.c2ln\"}");
    assertThat(failure("{rules: [{at: /m, code: AUTH_FAILED}]}"))
        .hasMessageEndingWith("It says: no Bearer ***, no ***");
  }

  @Test
  void aStreamThatBrokeStaysBroken() throws Exception {
    stub.then(200, page("\"n\":1", 1)).then(503, "").then(200, page("\"n\":null", 2));
    try (HttpSource source =
            source("{pages: {kind: cursor, query: c, at: /n}, answer: {records: /data}}");
        HttpRecords records = source.read(Map.of(), null)) {
      records.next();
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(records::hasNext)
            .isInstanceOfSatisfying(
                CaravanException.class,
                e -> assertThat(e.code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE));
      }
    }
    assertThat(stub.calls()).hasSize(2);
  }

  @Test
  void refusesPlacesThatLieInTheRecords() {
    assertThatThrownBy(() -> source("{answer: {records: /data/rows, error: /data}}"))
        .hasMessageContaining("'/data/rows' and '/data' lie in each other");
    assertThatThrownBy(() -> source("{answer: {records: /data, total: /data/0/n}}"))
        .hasMessageContaining("'/data' and '/data/0/n' lie in each other");
  }

  @Test
  void aSlashAtTheEndOfTheAddressIsNoStep() throws Exception {
    stub.then(200, "[]");
    records("{url: '%s/v2/', request: {path: [a]}}".formatted(stub.url()), Map.of());
    assertThat(stub.targets()).containsExactly("/v2/a");
  }

  @Test
  void readsMembersOfObjectsAsRecords() throws Exception {
    stub.then(
        200,
        """
        {"data":{"dataSets":[{"series":{"204.52.C":{"observations":{"2006 M01":[[26.12]],"2006":[[28.10]]}},
        "204.53.C":{"observations":{}}}}]}}""");
    List<Map<String, ?>> records =
        records("{answer: {records: /data/dataSets/0/series/*/observations/*}}", Map.of());
    assertThat(records.toString())
        .isEqualTo(
            "[{*1=204.52.C, *2=2006 M01, value=[[26.12]]}, {*1=204.52.C, *2=2006, value=[[28.10]]}]");
  }

  @Test
  void numbersKeepEveryDigit() throws Exception {
    stub.then(
        200, "[{\"id\":12345678901234567890.12345678901234567890,\"n\":123456789012345678901234}]");
    assertThat(records("{}", Map.of()).toString())
        .isEqualTo("[{id=12345678901234567890.12345678901234567890, n=123456789012345678901234}]");
  }

  @Test
  void holdsOnePageAtATimeAndAsksForNoneBeforeItIsNeeded() throws Exception {
    stub.then(200, page("\"n\":1", 1)).then(200, page("\"n\":null", 2));
    try (HttpSource source =
            source("{pages: {kind: cursor, query: c, at: /n}, answer: {records: /data}}");
        HttpRecords records = source.read(Map.of(), null)) {
      assertThat(stub.calls()).isEmpty();
      records.next();
      assertThat(stub.calls()).hasSize(1);
      records.next();
      assertThat(stub.calls()).hasSize(2);
      assertThat(records.hasNext()).isFalse();
    }
  }

  @Test
  void endsAnAnswerThatIsTooLarge() {
    stub.then(200, page("", 1, 2, 3, 4, 5, 6, 7, 8, 9));
    assertThat(failure("{answer: {records: /data}, limits: {bytes: 50}}").code())
        .isEqualTo(FailureCode.SOURCE_TOO_LARGE);
  }

  @Test
  void keepsToTheRateOfTheSource() throws Exception {
    stub.then(200, page("", 1)).then(200, page("", 2)).then(200, page(""));
    long start = System.nanoTime();
    ids("{pages: {kind: page, query: p}, answer: {records: /data}, per_minute: 600}");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(190));
  }

  @Test
  void aCheckReadsNoFurtherThanTheFirstRecord() throws Exception {
    stub.then(200, page("\"n\":1", 1, 2));
    try (HttpSource source =
        source("{pages: {kind: cursor, query: c, at: /n}, answer: {records: /data}}")) {
      source.check(Map.of(), null);
    }
    assertThat(stub.calls()).hasSize(1);
  }
}
