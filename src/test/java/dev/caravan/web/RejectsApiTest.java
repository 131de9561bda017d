package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import dev.caravan.access.Caller;
import dev.caravan.access.Role;
import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.database.Database;
import dev.caravan.database.TenantReads;
import dev.caravan.job.JobLoad;
import dev.caravan.job.JobLoad.Status;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.setup.HostWaits;
import dev.caravan.testing.TestDatabase;
import io.vertx.ext.auth.User;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The rejects stand in the project's database, which is another one than that of the jobs. */
class RejectsApiTest {

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final Exchange exchange = new DefaultExchange(context);
  private Database jobDatabase;
  private Database target;
  private JdbcJobRepository jobs;
  private RejectsApi api;

  @BeforeEach
  void open() throws Exception {
    jobDatabase = Database.open("jobs", TestDatabase.create().url(), null, null, 2);
    jobDatabase.migrate();
    target = Database.open("target", TestDatabase.create().url(), null, null, 2);
    jobs =
        new JdbcJobRepository(
            jobDatabase.dataSource(), "here", (c, job, effect) -> {}, List.of(), List.of());
    api =
        new RejectsApi(
            new JobReports(TenantReads.prepare(jobDatabase.dataSource())),
            Map.<String, javax.sql.DataSource>of("p", target.dataSource())::get,
            load -> Optional.empty(),
            null,
            new HostWaits(4, 16, Duration.ofSeconds(20)));
    User user = Guard.user(new Caller("default", Role.VIEWER, "test"));
    exchange.getMessage().setHeader(VertxPlatformHttpConstants.AUTHENTICATED_USER, user);
    context.getRegistry().bind("target", target.dataSource());
    context.start();
  }

  @AfterEach
  void close() {
    context.stop();
    target.close();
    jobDatabase.close();
  }

  /** A job of the project whose load of the CSV may also fail. */
  private UUID job(String project, String csv) throws Exception {
    UUID id = UUID.randomUUID();
    jobs.start(id, "import-sftp", "default", project);
    context
        .createProducerTemplate()
        .request(
            "copy-upsert:t?keyColumns=id&force=true&dataSource=#bean:target",
            load -> {
              load.getMessage().setBody(csv.getBytes(StandardCharsets.UTF_8));
              load.getMessage().setHeader(CopyUpsertConstants.LOAD_ID, id);
              load.getMessage().setHeader(Exchange.FILE_NAME, "-a.csv");
            });
    JobLoad file =
        new JobLoad(
            id,
            "-a.csv",
            null,
            null,
            "public.t",
            Status.LOADED,
            null,
            Map.of(),
            null,
            List.of(),
            null,
            null);
    jobs.record(id, 0, project, file, List.of());
    return id;
  }

  private JsonNode page(UUID job, String after, String limit) throws Exception {
    return new ObjectMapper()
        .readTree((String) api.listRejects(job.toString(), null, after, limit, exchange));
  }

  private String csv(UUID job) throws Exception {
    try (InputStream stream = (InputStream) api.getRejectsCsv(job.toString(), null, exchange)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private Object status() {
    return exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE);
  }

  private static String bad(int rows, String record) {
    return IntStream.range(0, rows).mapToObj(i -> record + "\n").collect(Collectors.joining());
  }

  @Test
  void tellsAllThatIsKnownOfAReject() throws Exception {
    JsonNode page = page(job("p", "id,x\n1,a\n2,b\0c\n3\n"), null, null);
    assertThat(page.at("/next").isNull()).isTrue();
    assertThat(page.at("/columns").toString()).isEqualTo("[\"id\",\"x\"]");
    assertThat(page.at("/rejects")).hasSize(2);
    JsonNode first = page.at("/rejects/0");
    assertThat(first.at("/file").asText()).isEqualTo("-a.csv");
    assertThat(first.at("/line").asLong()).isEqualTo(3);
    assertThat(first.at("/byte_offset").asLong()).isEqualTo(9);
    assertThat(first.at("/column").asText()).isEqualTo("x");
    assertThat(first.at("/code").asText()).isEqualTo("NUL_BYTE");
    assertThat(first.at("/message").asText()).isNotEmpty();
    assertThat(first.at("/raw").asText()).isEqualTo("2,b\\x00c");
    assertThat(first.at("/status").asText()).isEqualTo("open");
    assertThat(page.at("/rejects/1/column").isNull()).isTrue();
    assertThat(exchange.getMessage().getHeader(Exchange.CONTENT_TYPE))
        .isEqualTo("application/json");
  }

  @Test
  void leadsFromPageToPageToTheEnd() throws Exception {
    UUID job = job("p", "id,x\n1,a\n" + bad(205, "2"));
    List<Long> lines = new ArrayList<>();
    String after = null;
    for (int size : List.of(100, 100, 5)) {
      JsonNode page = page(job, after, null);
      assertThat(page.at("/rejects")).hasSize(size);
      page.at("/rejects").forEach(reject -> lines.add(reject.at("/line").asLong()));
      after = page.at("/next").isNull() ? null : page.at("/next").asText();
    }
    assertThat(after).isNull();
    assertThat(lines).isEqualTo(IntStream.rangeClosed(3, 207).asLongStream().boxed().toList());
    assertThat(page(job, "200", "7").at("/next").isNull()).isTrue();
    assertThat(page(job, "200", "6").at("/next").asLong()).isEqualTo(206);
    assertThat(page(job, "207", "1").at("/rejects")).isEmpty();
  }

  @Test
  void keepsPagesOfLongRecordsSmall() throws Exception {
    UUID job = job("p", "id,x\n1,a\n" + bad(7, "2" + "y".repeat(500_000)));
    assertThat(page(job, null, null).at("/rejects")).hasSize(3);
    assertThat(page(job, null, null).at("/next").asLong()).isEqualTo(5);
    assertThat(csv(job).lines()).hasSize(8);
  }

  @Test
  void writesAllAsCsvThatASpreadsheetDoesNotRun() throws Exception {
    UUID job =
        job(
            "p",
            "id,x\n1,a\n=HYPERLINK(\"http://x\")\n+1\n-1\n@SUM(1)\n\t=1\n＝1\n2,b\0c\n3,\"d\ne\",f\n"
                + bad(1_000, "5"));
    String csv = csv(job);
    assertThat(exchange.getMessage().getHeader(Exchange.CONTENT_TYPE))
        .isEqualTo("text/csv; charset=utf-8");
    assertThat(exchange.getMessage().getHeader("Content-Disposition"))
        .isEqualTo("attachment; filename=\"rejects-" + job + ".csv\"");
    assertThat(csv)
        .startsWith("file,line,byte_offset,column,code,message,raw,status\r\n\"'-a.csv\"");
    assertThat(csv).contains("\"'=HYPERLINK(\"\"http://x\"\")\"");
    List<CsvRecord> records = CsvReader.builder().ofCsvRecord(csv).stream().skip(1).toList();
    assertThat(records).hasSize(1_008).allMatch(record -> record.getFieldCount() == 8);
    assertThat(records.stream().limit(9).map(record -> record.getField(6)))
        .containsExactly(
            "'=HYPERLINK(\"http://x\")",
            "'+1",
            "'-1",
            "'@SUM(1)",
            "'\t=1",
            "'＝1",
            "2,b\\x00c",
            "3,\"d\ne\",f",
            "5");
    assertThat(records.get(6).getFields().subList(0, 5))
        .containsExactly("'-a.csv", "9", "55", "x", "NUL_BYTE");
  }

  @Test
  void leavesNoFileBehindWhenTheStreamIsClosed() throws Exception {
    UUID job = job("p", "id,x\n1,a\n2\n");
    List<String> before = temporaryFiles();
    csv(job);
    assertThat(temporaryFiles()).isEqualTo(before);
  }

  private static List<String> temporaryFiles() {
    String[] names = new java.io.File(System.getProperty("java.io.tmpdir")).list();
    return java.util.Arrays.stream(names).filter(n -> n.startsWith("caravan-rejects")).toList();
  }

  @Test
  void saysNoToWhatItDoesNotKnow() throws Exception {
    String unknown = UUID.randomUUID().toString();
    assertThat(api.listRejects(unknown, null, null, null, exchange))
        .asString()
        .contains("NOT_FOUND");
    assertThat(status()).isEqualTo(404);
    assertThat(api.getRejectsCsv(unknown, null, exchange)).asString().contains("NOT_FOUND");
    assertThat(exchange.getMessage().getHeader(Exchange.CONTENT_TYPE))
        .isEqualTo("application/problem+json");
    assertThat(
            api.listRejects(job("gone", "id,x\n1,a\n2\n").toString(), null, null, null, exchange))
        .asString()
        .contains("NOT_FOUND", "not configured any more");
  }

  @Test
  void answers503WhenTheTargetIsAway() throws Exception {
    UUID job = job("p", "id,x\n1,a\n2\n");
    target.close();
    assertThat(api.getRejectsCsv(job.toString(), null, exchange))
        .asString()
        .contains("DB_UNAVAILABLE");
    assertThat(status()).isEqualTo(503);
  }
}
