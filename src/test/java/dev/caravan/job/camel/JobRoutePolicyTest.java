package dev.caravan.job.camel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.database.Database;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobEnd;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.main.Main;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** Jobs as the policy writes them, under the redelivery that routes/shared describes. */
class JobRoutePolicyTest {

  private final TestDatabase test = TestDatabase.create();
  private final Sql sql = new Sql(test.url(), null, null);
  private final List<JobEnd> ended = new ArrayList<>();
  private final AtomicInteger attempts = new AtomicInteger();
  private Database database;
  private Main main;

  @BeforeEach
  void start() throws Exception {
    database = Database.open("test", test.url(), null, null, 4);
    database.migrate();
    JdbcJobRepository jobs = new JdbcJobRepository(database.dataSource(), "here");
    main = new Main();
    main.setPropertyPlaceholderLocations("file:application.properties");
    main.addOverrideProperty("camel.main.routesIncludePattern", "file:routes/shared/*.camel.yaml");
    main.addOverrideProperty("caravan.redelivery.delay", "1");
    main.bind("policies", new JobRoutePolicyFactory(jobs, List.of(ended::add)));
    main.bind("attemptRecorder", new AttemptRecorder(jobs));
    main.configure().addRoutesBuilder(new Routes());
    main.start();
  }

  @AfterEach
  void stop() {
    main.stop();
    database.close();
  }

  private final class Routes extends RouteBuilder {
    @Override
    public void configure() {
      from("direct:job")
          .routeId("job")
          .group("jobs")
          .routeConfigurationId("redeliver-transient")
          .to("direct:sub")
          .process(e -> fail(e.getMessage().getBody(String.class)));
      from("direct:sub").routeId("sub").process(e -> {});
      from("direct:other").routeId("other").to("direct:sub");
    }
  }

  /** "CODE n": fails n times with the code. */
  private void fail(String plan) {
    assertThat(MDC.get("job")).isNotBlank();
    String[] parts = plan.split(" ", -1);
    if (attempts.incrementAndGet() <= Integer.parseInt(parts[1])) {
      throw parts[0].equals("DEFECT")
          ? new IllegalStateException("oops")
          : new CaravanException(FailureCode.valueOf(parts[0]), "attempt " + attempts.get());
    }
  }

  private void run(String plan) {
    main.getCamelContext()
        .createProducerTemplate()
        .send("direct:job", e -> e.getMessage().setBody(plan));
    assertThat(MDC.get("job")).isNull();
  }

  private String job() {
    return sql.value("SELECT concat_ws(' ', kind, state, attempt, code) FROM caravan.job");
  }

  private List<String> errors() {
    return sql.rows("SELECT attempt, code, message FROM caravan.job_error ORDER BY id");
  }

  @Test
  void completesAJobOnce() {
    run("NONE 0");
    assertThat(job()).isEqualTo("job completed 1");
    assertThat(errors()).isEmpty();
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("1");
  }

  @Test
  void completesAJobThatWorkedWhenItWasTriedAgain() {
    run("SOURCE_UNAVAILABLE 2");
    assertThat(job()).isEqualTo("job completed 3");
    assertThat(errors())
        .containsExactly("1|SOURCE_UNAVAILABLE|attempt 1", "2|SOURCE_UNAVAILABLE|attempt 2");
    assertThat(ended).hasSize(1);
  }

  @Test
  void failsWhatStaysBroken() {
    run("DB_UNAVAILABLE 99");
    assertThat(job()).isEqualTo("job failed 4 DB_UNAVAILABLE");
    assertThat(errors()).hasSize(4).last().isEqualTo("4|DB_UNAVAILABLE|attempt 4");
    assertThat(ended.get(0).message()).isEqualTo("attempt 4");
  }

  @Test
  void failsWhatIsNotTransientAtOnce() {
    run("HEADER_MISMATCH 99");
    assertThat(job()).isEqualTo("job failed 1 HEADER_MISMATCH");
    assertThat(attempts.get()).isEqualTo(1);
  }

  @Test
  void callsWhatHasNoCodeADefect() {
    run("DEFECT 1");
    assertThat(job()).isEqualTo("job failed 1 INTERNAL");
    assertThat(errors().get(0)).contains("oops");
  }

  @Test
  void makesNoJobOfOtherRoutes() {
    main.getCamelContext().createProducerTemplate().sendBody("direct:other", "x");
    assertThat(sql.rows("SELECT * FROM caravan.job")).isEmpty();
  }
}
