package dev.caravan.copyupsert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.pgload.LoadResult;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The component in a context that knows nothing else of Caravan. */
class CopyUpsertComponentTest {

  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);
  private final DefaultCamelContext context = new DefaultCamelContext();
  private ProducerTemplate template;

  @BeforeEach
  void start() {
    context.getRegistry().bind("db", database.dataSource());
    context.start();
    template = context.createProducerTemplate();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  private LoadResult send(String uri, Object body) {
    return template.requestBody(uri, body, LoadResult.class);
  }

  private void fails(String uri, Object body, String... parts) {
    assertThatThrownBy(() -> send(uri, body)).rootCause().hasMessageContainingAll(parts);
  }

  @Test
  void loadsACsvBodyAndTellsWhatItDid() {
    Exchange answer =
        template.request(
            "copy-upsert:s.t?keyColumns=id",
            e -> e.getMessage().setBody("id,x\n1,a\n2\n1,b\n".getBytes(StandardCharsets.UTF_8)));
    assertThat(answer.getException()).isNull();
    Map<String, Object> headers = answer.getMessage().getHeaders();
    assertThat(headers)
        .containsEntry("CamelCopyUpsertRead", 3L)
        .containsEntry("CamelCopyUpsertInserted", 1L)
        .containsEntry("CamelCopyUpsertSuperseded", 1L)
        .containsEntry("CamelCopyUpsertRejected", 1L)
        .containsEntry("CamelCopyUpsertOutcome", "LOADED")
        .containsEntry("CamelCopyUpsertTable", "s.t");
    assertThat(answer.getMessage().getBody()).isSameAs(headers.get("CamelCopyUpsertResult"));
    assertThat(sql.rows("SELECT * FROM s.t")).containsExactly("1|b");
  }

  /** Whatever the body is, and whatever its stream says about what is there to read. */
  @Test
  void unpacksAGzipBodyOfSeveralMembers() throws Exception {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    for (String member : List.of("id,x\n1,a\n", "2,b\n", "", "3,c\n")) {
      try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
        out.write(member.getBytes(StandardCharsets.UTF_8));
      }
    }
    byte[] bytes = packed.toByteArray();
    Callable<InputStream> callable = () -> new SilentStream(bytes);
    for (Object body : List.of(bytes, new SilentStream(bytes), callable)) {
      assertThat(send("copy-upsert:t?keyColumns=id&mode=REPLACE&force=true", body).read())
          .isEqualTo(3);
    }
    byte[] cut = Arrays.copyOf(bytes, bytes.length - 3);
    fails("copy-upsert:u?keyColumns=id", cut, "message body is a damaged gzip file", "member 4");
    assertThat(sql.rows("SELECT to_regclass('u')")).containsExactly("null");
  }

  /** A stream that never knows what is to come. */
  private static final class SilentStream extends ByteArrayInputStream {
    SilentStream(byte[] bytes) {
      super(bytes);
    }

    @Override
    public synchronized int available() {
      return 0;
    }
  }

  /** Nothing is created, and what is there stays, whatever the mode would do with no rows. */
  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "\r\n\r\n", "\uFEFF", "id,x\n", "id,x", "id,x\n\n\n"})
  void skipsAFileWithoutRecordsWhenToldTo(String empty) {
    String uri = "copy-upsert:t?keyColumns=id&emptyFiles=SKIP&force=true&mode=";
    for (String mode : List.of("UPSERT", "REPLACE", "REPLACE&allowEmpty=true")) {
      LoadResult result = send(uri + mode, empty.getBytes(StandardCharsets.UTF_8));
      assertThat(result.warnings())
          .containsExactly("EMPTY_FILE: the file has no records and was skipped");
      assertThat(result.counts().values()).containsOnly(0L);
      assertThat(result.outcome()).isEqualTo(LoadResult.Outcome.SKIPPED);
    }
    assertThat(sql.rows("SELECT to_regclass('t')")).containsExactly("null");
    send(uri + "UPSERT", "id,x\n1,a\n2,b\n");
    send(uri + "REPLACE&allowEmpty=true", empty.getBytes(StandardCharsets.UTF_8));
    assertThat(send(uri + "REPLACE", "id,x\n1,a\n\n2,b\n3\n").rejected()).isEqualTo(1);
    assertThat(sql.rows("SELECT * FROM t ORDER BY id")).containsExactly("1|a", "2|b");
    if (!empty.contains("id")) {
      fails("copy-upsert:t?keyColumns=id", empty.getBytes(StandardCharsets.UTF_8), "no header");
    }
  }

  @Test
  void takesEveryOptionOfContract1() {
    send(
        "copy-upsert:t?keyColumns=id,year&columnMapping=Nr:id,Jahr:year&delimiter=tab&encoding=latin1&skipRows=1&nullWords=NULL,-&trailer=TRL",
        new ByteArrayInputStream(
            "meta\nNr\tJahr\tStraße\n1\t2025\tÜberweg\n2\t2025\t-\nTRL\t2\n"
                .getBytes(StandardCharsets.ISO_8859_1)));
    assertThat(sql.rows("SELECT id, year, \"Straße\" FROM t ORDER BY id"))
        .containsExactly("1|2025|Überweg", "2|2025|null");
    LoadResult replaced =
        send("copy-upsert:t?keyColumns=id,year&mode=REPLACE&onDrift=EVOLVE", "id,year\n2,2025\n");
    assertThat(replaced.deleted()).isEqualTo(1);
    fails(
        "copy-upsert:t?keyColumns=id,year&onError=FAIL&onDrift=EVOLVE",
        "id,year\n3,2025\n4\n",
        "1 of 2");
    fails(
        "copy-upsert:t?keyColumns=id,year&maxErrors=0&onDrift=EVOLVE",
        "id,year\n3,2025\n4\n",
        "More than 0");
    fails(
        "copy-upsert:t?keyColumns=id,year&maxErrorRatio=0.1&onDrift=EVOLVE",
        "id,year\n3,2025\n4\n",
        "0.1");
    fails(
        "copy-upsert:t?keyColumns=id,year&mode=REPLACE&onDrift=EVOLVE", "id,year\n", "allow_empty");
    send(
        "copy-upsert:t?keyColumns=id,year&mode=REPLACE&onDrift=EVOLVE&allowEmpty=true",
        "id,year\n");
    assertThat(sql.rows("SELECT * FROM t")).isEmpty();
  }

  @Test
  void loadsContentOnceUnlessForced() {
    send("copy-upsert:t?keyColumns=id", "id\n1\n");
    assertThat(send("copy-upsert:t?keyColumns=id", "id\n1\n").outcome())
        .isEqualTo(LoadResult.Outcome.SAME_CONTENT);
    assertThat(send("copy-upsert:t?keyColumns=id&force=true", "id\n1\n").unchanged()).isEqualTo(1);
    assertThat(send("copy-upsert:t?keyColumns=id&pipeline=other", "id\n1\n").unchanged())
        .isEqualTo(1);
  }

  @Test
  void loadsRecordsOneByOneWithExactNumbers() {
    AtomicInteger pulled = new AtomicInteger();
    List<Map<String, Object>> records = new java.util.ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Map<String, Object> record = new LinkedHashMap<>();
      record.put("id", i);
      record.put("big", new BigDecimal("12345678901234567"));
      record.put("text", i == 0 ? null : "a\tb\\");
      records.add(record);
    }
    records.add(Map.of("id", 9, "other", 1));
    var iterator = records.stream().peek(r -> pulled.incrementAndGet()).iterator();
    LoadResult result = send("copy-upsert:t?keyColumns=id", iterator);
    assertThat(pulled.get()).isEqualTo(4);
    assertThat(result.inserted()).isEqualTo(3);
    assertThat(result.rejected()).isEqualTo(1);
    assertThat(sql.rows("SELECT * FROM t ORDER BY id"))
        .containsExactly(
            "0|12345678901234567|null", "1|12345678901234567|a\tb\\", "2|12345678901234567|a\tb\\");
    assertThat(send("copy-upsert:t?keyColumns=id", records.subList(0, 3)).unchanged()).isEqualTo(3);
    fails("copy-upsert:t?keyColumns=id", List.of(), "no records");
  }

  @Test
  void loadsJsonWithExactNumbersAndNestedValues() throws Exception {
    String json =
        """
        {"page": 1, "data": [
          {"id": 12345678901234567, "price": 0.10000000000000000001, "tags": ["a\\u00e9", {"n": 98765432109876543210}]},
          {"id": 2, "price": 1e3, "tags": "plain"},
          {"id": 3, "price": null, "tags": ["\\u0000"]},
          {"id": 4, "price": 1e999999999, "tags": %s}]}"""
            .formatted("[".repeat(63) + "]".repeat(63));
    LoadResult result = send("copy-upsert:t?keyColumns=id&jsonRecords=/data", json);
    assertThat(result.inserted()).isEqualTo(3);
    assertThat(sql.rows("SELECT id, price, tags FROM t WHERE id < '3' ORDER BY id"))
        .containsExactly(
            "12345678901234567|0.10000000000000000001|[\"aé\", {\"n\": 98765432109876543210}]",
            "2|1000|\"plain\"");
    assertThat(sql.rows("SELECT line, column_name, code FROM caravan.reject"))
        .containsExactly("3|tags|NUL_BYTE");
    assertThat(send("copy-upsert:t?keyColumns=id&jsonRecords=/data&force=true", json).unchanged())
        .isEqualTo(3);
    assertThatThrownBy(
            () -> send("copy-upsert:u?keyColumns=id&jsonRecords=/", "[{\"id\": 1}, {\"id\""))
        .hasStackTraceContaining("The JSON ends in the middle");
    fails(
        "copy-upsert:u?keyColumns=id&jsonRecords=/rows", json, "nothing at '/rows'", "page, data");
  }

  @Test
  void refusesJsonThatIsTooDeep() throws Exception {
    List<Object> deep = new ArrayList<>();
    for (int i = 0; i < 70; i++) {
      deep = new ArrayList<>(List.of(deep));
    }
    LoadResult result =
        send(
            "copy-upsert:t?keyColumns=id",
            List.of(Map.of("id", 1, "a", List.of()), Map.of("id", 2, "a", deep)));
    assertThat(result.rejected()).isEqualTo(1);
    assertThat(sql.rows("SELECT code FROM caravan.reject")).containsExactly("JSON_DEPTH");
  }

  @Test
  void writesStringsIntoAJsonColumnAsJson() throws Exception {
    send("copy-upsert:t?keyColumns=id", List.of(Map.of("id", 1, "a", Map.of())));
    send("copy-upsert:t?keyColumns=id", List.of(Map.of("id", 2, "a", "text")));
    assertThat(sql.rows("SELECT a FROM t ORDER BY id")).containsExactly("{}", "\"text\"");
  }

  @Test
  void callsACallableBodyAnewForEachAttempt() {
    AtomicInteger calls = new AtomicInteger();
    Callable<ByteArrayInputStream> body =
        () -> {
          calls.incrementAndGet();
          return new ByteArrayInputStream("id\n1\n".getBytes(StandardCharsets.UTF_8));
        };
    template.sendBody("copy-upsert:t?keyColumns=id", body);
    template.sendBody("copy-upsert:t?keyColumns=id", body);
    assertThat(calls.get()).isEqualTo(2);
  }

  @Test
  void namesWhatIsWrongWithItsOptions() {
    fails("copy-upsert:?keyColumns=id", "id\n1\n", "names no table", "CamelCopyUpsertLoad");
    fails("copy-upsert:t", "id\n1\n", "no key columns");
    fails("copy-upsert:t?keyColumns=id&delimiter=||", "id\n1\n", "delimiter", "one character");
    fails("copy-upsert:t?keyColumns=id&encoding=klingon", "id\n1\n", "encoding", "klingon");
    fails(
        "copy-upsert:t?keyColumns=id&columnMapping=x", "id\n1\n", "columnMapping", "source:target");
    fails("copy-upsert:t?keyColumns=id&keyColums=id", "id\n1\n", "keyColums");
    fails("copy-upsert:t?keyColumns=id", null, "no body");
    assertThatThrownBy(
            () ->
                context.addRoutes(
                    new org.apache.camel.builder.RouteBuilder() {
                      @Override
                      public void configure() {
                        from("copy-upsert:t?keyColumns=id").to("log:x");
                      }
                    }))
        .hasStackTraceContaining("only a target");
  }

  @Test
  void failsWithTheCodeOfTheFailure() {
    assertThatThrownBy(() -> send("copy-upsert:t?keyColumns=no", "id\n1\n"))
        .isInstanceOf(CamelExecutionException.class)
        .cause()
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code().name()).isEqualTo("HEADER_MISMATCH"));
  }
}
