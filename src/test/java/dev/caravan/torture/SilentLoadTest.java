package dev.caravan.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.caravan.database.Database;
import dev.caravan.job.JobRequest;
import dev.caravan.testing.JobRig;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Loads into a server that is not heard any more. */
class SilentLoadTest {

  private static final JobRequest ONE_ATTEMPT =
      new JobRequest("test", "p", "load").connection("silent").attempts(1, Duration.ofSeconds(3));

  private final CountDownLatch go = new CountDownLatch(1);
  private TcpProxy network;
  private Database silent;
  private JobRig rig;

  private final class Routes extends RouteBuilder {
    @Override
    public void configure() throws IOException {
      String url =
          getContext()
              .getRegistry()
              .lookupByNameAndType("warehouse", HikariDataSource.class)
              .getJdbcUrl();
      URI server = URI.create(url.substring("jdbc:".length()));
      network = new TcpProxy(server.getPort());
      silent =
          Database.open(
              "silent",
              "jdbc:postgresql://127.0.0.1:" + network.port() + server.getPath(),
              "caravan",
              null,
              3);
      getContext().getRegistry().bind("silent", silent.dataSource());
      from("direct:load")
          .routeId("load")
          .group("jobs")
          .setHeader("CamelFileName", constant("t.csv"))
          .process(e -> go.await())
          .setBody(constant("a\n1\n"))
          .to("copy-upsert:t?mode=append&dataSource=#bean:silent");
    }
  }

  @BeforeEach
  void start() throws Exception {
    rig = JobRig.start(new Routes());
    rig.sql().execute("CREATE TABLE t (a text)");
  }

  @AfterEach
  void stop() throws Exception {
    go.countDown();
    rig.close();
    silent.close();
    network.close();
  }

  /** The packets of connections that are open are swallowed from now on; new ones come through. */
  private void silence() {
    network.blackHole(true);
    network.blackHole(false);
  }

  private void awaitSleep(String during) {
    String sleeping =
        """
        SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%s%%'
          AND application_name LIKE 'caravan load%%'""";
    await().until(() -> rig.sql().value(sleeping.formatted(during)).equals("1"));
  }

  @Test
  void aLoadThatHearsNothingEndsAtItsTimeLimit() throws Exception {
    rig.sql()
        .execute(
            """
            CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
              'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
            CREATE TRIGGER nap AFTER INSERT ON t EXECUTE FUNCTION nap()""");
    UUID job = rig.launch(ONE_ATTEMPT);
    go.countDown();
    awaitSleep("");
    silence();
    rig.awaitJob(job, "failed 2 TIMEOUT");
    assertThat(rig.sql().value("SELECT count(*) FROM t")).isEqualTo("0");
    assertThat(
            rig.sql()
                .value(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'caravan load%'"))
        .isEqualTo("0");
  }

  /** A load checks what is deferred before its commit: this one defers something while it does. */
  private UUID jobThatCommitsForASecond() throws Exception {
    rig.sql()
        .execute(
            """
            CREATE TABLE late (a text);
            CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
              'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION nap();
            CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS
              'BEGIN SET CONSTRAINTS nap DEFERRED; INSERT INTO late VALUES (1); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER later AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION later()""");
    UUID job = rig.launch(ONE_ATTEMPT);
    go.countDown();
    awaitSleep("COMMIT");
    return job;
  }

  @Test
  void aCommitWhoseAnswerIsLostIsFoundEvenAfterTheLastAttempt() throws Exception {
    UUID job = jobThatCommitsForASecond();
    silence();
    rig.awaitJob(job, "completed 2");
    assertThat(rig.sql().value("SELECT count(*) FROM t")).isEqualTo("1");
    assertThat(rig.sql().value("SELECT string_agg(code, ',') FROM caravan.job_error"))
        .isEqualTo("TIMEOUT");
  }

  @Test
  void aCommitWhoseAnswerIsLostIsFoundOnceTheServerIsHeardAgain() throws Exception {
    UUID job = jobThatCommitsForASecond();
    network.blackHole(true);
    await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> rig.sql().value("SELECT count(*) FROM caravan.job_error").equals("2"));
    network.blackHole(false);
    rig.awaitJob(job, "completed 3");
    assertThat(rig.sql().value("SELECT count(*) FROM t")).isEqualTo("1");
  }
}
