package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.access.Caller;
import dev.caravan.access.Role;
import dev.caravan.database.Database;
import dev.caravan.database.TenantReads;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobLoad;
import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.testing.TestDatabase;
import io.vertx.ext.auth.User;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JobsApiTest {

  private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());
  private Database database;
  private JdbcJobRepository jobs;
  private JobsApi api;
  private HealthApi health;

  @BeforeEach
  void open() throws Exception {
    TestDatabase test = TestDatabase.create();
    database = Database.open("test", test.url(), null, null, 2);
    database.migrate();
    jobs =
        new JdbcJobRepository(
            database.dataSource(), "here", (c, job, effect) -> {}, List.of(), List.of());
    JobReports reports = new JobReports(TenantReads.prepare(database.dataSource()));
    api = new JobsApi(reports);
    health = new HealthApi(reports);
    User user = Guard.user(new Caller("default", Role.VIEWER, "test"));
    exchange.getMessage().setHeader(VertxPlatformHttpConstants.AUTHENTICATED_USER, user);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private UUID job(JobState state, FailureCode code) throws Exception {
    return code == null
        ? job(
            state, null, JobLoad.Status.LOADED, Map.of("read", 3L, "inserted", 2L, "rejected", 1L))
        : job(state, code, JobLoad.Status.FAILED, Map.of());
  }

  private UUID job(
      JobState state, FailureCode code, JobLoad.Status status, Map<String, Long> counts)
      throws Exception {
    UUID id = UUID.randomUUID();
    jobs.start(id, "import-sftp", "default", "p");
    String message = code == null ? null : "it \"broke\"";
    JobLoad file =
        new JobLoad(
            id,
            "a.csv",
            10L,
            Instant.EPOCH,
            "public.a",
            status,
            null,
            counts,
            Duration.ofMillis(5),
            List.of(),
            code,
            message);
    jobs.record(id, 0, "p", file, List.of());
    jobs.end(new JobEnd(id, "k", "p", state, 1, code, message, List.of(file)), 0);
    return id;
  }

  private JsonNode json(Object text) throws Exception {
    return new ObjectMapper().readTree((String) text);
  }

  private Object status() {
    return exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE);
  }

  @Test
  void showsAJobInTheWordsOfContract1() throws Exception {
    JsonNode job = json(api.getJob(job(JobState.COMPLETED, null).toString(), exchange));
    assertThat(job.at("/status").asText()).isEqualTo("completed");
    assertThat(job.at("/result/files").asInt()).isEqualTo(1);
    assertThat(job.at("/result/inserted").asInt()).isEqualTo(2);
    assertThat(job.at("/file_results/0/filename").asText()).isEqualTo("a.csv");
    assertThat(job.at("/file_results/0/table_name").asText()).isEqualTo("public.a");
    assertThat(job.at("/file_results/0/rejected").asInt()).isEqualTo(1);
    assertThat(job.at("/errors")).isEmpty();
    JsonNode failed =
        json(api.getJob(job(JobState.FAILED, FailureCode.EMPTY_FILE).toString(), exchange));
    assertThat(failed.at("/error_code").asText()).isEqualTo("EMPTY_FILE");
    assertThat(failed.at("/file_results/0/error").asText()).isEqualTo("it \"broke\"");
    assertThat(failed.at("/errors/0/attempt").asInt()).isEqualTo(1);
    assertThat(status()).isNull();
  }

  @Test
  void saysWhatToldThatNothingChanged() throws Exception {
    assertThat(unchangedBy(JobLoad.Status.SAME_CONTENT, Map.of())).isEqualTo("content");
    assertThat(unchangedBy(JobLoad.Status.LOADED, Map.of("read", 2L, "unchanged", 2L)))
        .isEqualTo("rows");
    assertThat(
            unchangedBy(JobLoad.Status.LOADED, Map.of("read", 2L, "unchanged", 1L, "updated", 1L)))
        .isEqualTo("null");
  }

  private String unchangedBy(JobLoad.Status status, Map<String, Long> counts) throws Exception {
    UUID id = job(JobState.COMPLETED, null, status, counts);
    return json(api.getJob(id.toString(), exchange)).at("/file_results/0/unchanged_by").asText();
  }

  @Test
  void listsTheNewestFirstByStatusAndLimit() throws Exception {
    UUID first = job(JobState.COMPLETED, null);
    UUID second = job(JobState.FAILED, FailureCode.ENCODING);
    assertThat(json(api.listJobs(null, null, null, exchange)).findValuesAsText("job_id"))
        .containsExactly(second.toString(), first.toString());
    assertThat(json(api.listJobs("completed", "1", null, exchange)).findValuesAsText("job_id"))
        .containsExactly(first.toString());
    assertThat(json(api.listJobs("queued", null, null, exchange)).at("/jobs")).isEmpty();
  }

  @Test
  void hasNoJobThatIsUnknown() throws Exception {
    assertThat(json(api.getJob(UUID.randomUUID().toString(), exchange)).at("/error_code").asText())
        .isEqualTo("NOT_FOUND");
    assertThat(status()).isEqualTo(404);
  }

  @Test
  void answers503WhenTheDatabaseIsAway() throws Exception {
    assertThat(json(health.health(exchange)).at("/status").asText()).isEqualTo("up");
    database.close();
    assertThat(health.health(exchange)).asString().contains("DB_UNAVAILABLE");
    assertThat(status()).isEqualTo(503);
    assertThat(exchange.getMessage().getHeader("Retry-After")).isEqualTo(5);
  }
}
