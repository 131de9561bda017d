package dev.caravan.job.camel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import dev.caravan.testing.JobRig;
import dev.caravan.testing.Sql;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** Jobs as the policy writes them, launched into the queue and started by something else. */
class JobRoutePolicyTest {

  private final AtomicInteger attempts = new AtomicInteger();
  private JobRig rig;
  private Sql sql;

  @BeforeEach
  void start() throws Exception {
    rig = JobRig.start(new Routes());
    sql = rig.sql();
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private final class Routes extends RouteBuilder {
    @Override
    public void configure() {
      from("direct:job")
          .routeId("job")
          .group("jobs")
          .routeConfigurationId("jobs")
          .to("direct:sub")
          .process(e -> fail(e.getMessage().getBody(String.class)));
      from("direct:load")
          .routeId("load")
          .group("jobs")
          .routeConfigurationId("jobs")
          .setHeader(Exchange.FILE_NAME, constant("a.csv"))
          .setBody(constant("id,x\n1,a\n"))
          .to("copy-upsert:t?keyColumns=id&dataSource=#bean:warehouse");
      from("direct:sub").routeId("sub").process(e -> {});
      from("direct:other").routeId("other").to("direct:sub");
    }
  }

  /** {"plan": "CODE n"}: fails n times with the code. */
  private void fail(String body) {
    assertThat(MDC.get("job")).isNotBlank();
    String[] plan = body.replaceAll("[^A-Z_0-9 ]", "").strip().split(" ", -1);
    if (attempts.incrementAndGet() <= Integer.parseInt(plan[1])) {
      if (plan[0].equals("LATER")) {
        throw CaravanException.retryAfter(
            FailureCode.SOURCE_LIMIT, "wait an hour", Duration.ofHours(1));
      }
      throw plan[0].equals("DEFECT")
          ? new IllegalStateException("oops")
          : new CaravanException(FailureCode.valueOf(plan[0]), "attempt " + attempts.get());
    }
  }

  private void run(String plan) throws SQLException {
    UUID id =
        rig.launch(
            new JobRequest("job", "", "job")
                .parameters("[\"%s\"]".formatted(plan))
                .attempts(4, Duration.ofMinutes(1)));
    await()
        .until(
            () ->
                sql.value(
                        "SELECT completed_at IS NOT NULL FROM caravan.job WHERE id = '" + id + "'")
                    .equals("t"));
  }

  private String job() {
    return sql.value("SELECT concat_ws(' ', kind, state, attempt, code) FROM caravan.job");
  }

  private List<String> errors() {
    return sql.rows("SELECT attempt, code, message FROM caravan.job_error ORDER BY id");
  }

  @Test
  void completesAJobOnce() throws Exception {
    run("NONE 0");
    assertThat(job()).isEqualTo("job completed 1");
    assertThat(errors()).isEmpty();
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("1");
  }

  @Test
  void recordsALoadThatNoStepOfTheRouteHasRecorded() throws Exception {
    UUID id = rig.launch(new JobRequest("load", "", "load").attempts(1, Duration.ofMinutes(1)));
    rig.awaitJob(id, "completed 1");
    assertThat(
            sql.rows(
                "SELECT label, table_name, status, rows_inserted, load_id = job_id FROM caravan.job_load"))
        .containsExactly("a.csv|public.t|loaded|1|t");
  }

  @Test
  void completesAJobThatWorkedWhenItWasTriedAgain() throws Exception {
    run("SOURCE_UNAVAILABLE 2");
    assertThat(job()).isEqualTo("job completed 3");
    assertThat(errors())
        .containsExactly("1|SOURCE_UNAVAILABLE|attempt 1", "2|SOURCE_UNAVAILABLE|attempt 2");
    assertThat(rig.ended()).hasSize(1);
  }

  @Test
  void waitsForAsLongAsTheSourceAsks() throws Exception {
    UUID id =
        rig.launch(
            new JobRequest("job", "", "job")
                .parameters("[\"LATER 1\"]")
                .attempts(4, Duration.ofMinutes(1)));
    rig.awaitJob(id, "queued 1");
    assertThat(
            sql.value(
                "SELECT run_after - now() BETWEEN interval '59 min' AND interval '1 h' FROM caravan.job"))
        .isEqualTo("t");
  }

  @Test
  void failsWhatStaysBroken() throws Exception {
    run("DB_UNAVAILABLE 99");
    assertThat(job()).isEqualTo("job failed 4 DB_UNAVAILABLE");
    assertThat(errors()).hasSize(4).last().isEqualTo("4|DB_UNAVAILABLE|attempt 4");
    assertThat(rig.ended().get(0).message()).isEqualTo("attempt 4");
  }

  @Test
  void failsWhatIsNotTransientAtOnce() throws Exception {
    run("HEADER_MISMATCH 99");
    assertThat(job()).isEqualTo("job failed 1 HEADER_MISMATCH");
    assertThat(attempts.get()).isEqualTo(1);
  }

  @Test
  void callsWhatHasNoCodeADefect() throws Exception {
    run("DEFECT 1");
    assertThat(job()).isEqualTo("job failed 1 INTERNAL");
    assertThat(errors().get(0)).contains("oops");
  }

  @Test
  void makesAJobOfARouteThatSomethingElseStarted() {
    rig.main()
        .getCamelContext()
        .createProducerTemplate()
        .send("direct:job", e -> e.getMessage().setBody("X 0"));
    assertThat(MDC.get("job")).isNull();
    assertThat(job()).isEqualTo("job completed 1");
    assertThat(rig.ended()).hasSize(1);
  }

  @Test
  void failsAJobWhoseRouteIsNotThere() throws Exception {
    UUID id = rig.launch(new JobRequest("job", "p", "nowhere"));
    await().until(() -> job().endsWith("failed 1 CONFIG_INVALID"));
    assertThat(sql.value("SELECT message FROM caravan.job WHERE id = '" + id + "'"))
        .contains("no route nowhere");
  }

  @Test
  void makesNoJobOfOtherRoutes() {
    rig.main().getCamelContext().createProducerTemplate().sendBody("direct:other", "x");
    assertThat(sql.rows("SELECT * FROM caravan.job")).isEmpty();
  }
}
