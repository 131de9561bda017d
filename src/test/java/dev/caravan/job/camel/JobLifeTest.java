package dev.caravan.job.camel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caravan.failure.FailureCode;
import dev.caravan.job.Effect;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobState;
import dev.caravan.testing.JobRig;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Stopping what runs: by a limit, by somebody, or because the node stops. */
class JobLifeTest {

  private final CountDownLatch waiting = new CountDownLatch(1);
  private final CountDownLatch interrupted = new CountDownLatch(1);
  private final CountDownLatch go = new CountDownLatch(1);
  private JobRig rig;

  @AfterEach
  void stop() {
    go.countDown();
    rig.close();
  }

  /** Waits until it is interrupted or let go. */
  private void work() throws InterruptedException {
    waiting.countDown();
    try {
      go.await();
    } catch (InterruptedException e) {
      interrupted.countDown();
      throw e;
    }
  }

  private final class Routes extends RouteBuilder {
    @Override
    public void configure() {
      from("direct:work").routeId("work").group("jobs").process(e -> work());
      from("direct:load")
          .routeId("load")
          .group("jobs")
          .setHeader("CamelFileName", constant("t.csv"))
          .process(e -> e.getMessage().setBody((Callable<InputStream>) Csv::new))
          .to("copy-upsert:t?mode=append&dataSource=#bean:warehouse");
    }

    /** One line, and no more before it is let go. */
    private final class Csv extends InputStream {
      private final byte[] start = "a\n1\n".getBytes(StandardCharsets.UTF_8);
      private int at;

      @Override
      public int read() {
        if (at < start.length) {
          return start[at++];
        }
        waiting.countDown();
        try {
          go.await();
        } catch (InterruptedException e) {
          interrupted.countDown();
          throw new IllegalStateException(e);
        }
        return -1;
      }

      @Override
      public int read(byte[] target, int offset, int length) {
        int b = read();
        if (b < 0) {
          return -1;
        }
        target[offset] = (byte) b;
        return 1;
      }
    }
  }

  private UUID launch(String route, Duration timeout) throws Exception {
    UUID job =
        rig.launch(
            new JobRequest(route, "p", route)
                .connection("warehouse")
                .callbackUrl("http://receiver")
                .attempts(3, timeout));
    assertThat(waiting.await(20, TimeUnit.SECONDS)).isTrue();
    return job;
  }

  @Test
  void anAttemptThatTakesTooLongIsStoppedAndNotTriedAgain() throws Exception {
    rig = JobRig.start(new Routes());
    UUID job = launch("work", Duration.ofMillis(500));
    rig.awaitJob(job, "failed 1 TIMEOUT");
    assertThat(interrupted.await(1, TimeUnit.SECONDS)).isTrue();
    assertThat(rig.effects()).containsExactly(new Effect(Effect.CALLBACK, "http://receiver"));
  }

  @Test
  void aReadThatStandsStillIsStoppedAndTriedAgain() throws Exception {
    rig = JobRig.start(new Routes(), Duration.ofMillis(1500));
    UUID job = launch("load", Duration.ofMinutes(5));
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> !rig.sql().rows("SELECT code FROM caravan.job_error").isEmpty());
    assertThat(rig.sql().rows("SELECT attempt, code FROM caravan.job_error").get(0))
        .isEqualTo("1|NO_PROGRESS");
    go.countDown();
    await().until(() -> rig.job(job).contains("completed"));
    assertThat(rig.sql().rows("SELECT a FROM t")).containsExactly("1");
  }

  @Test
  void aJobThatRunsIsCancelledAtOnceAndLoadsNothing() throws Exception {
    rig = JobRig.start(new Routes());
    UUID job = launch("load", Duration.ofMinutes(5));
    assertThat(rig.control().cancel(job)).isTrue();
    assertThat(rig.job(job)).isEqualTo("load cancelled 1 CANCELLED");
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).as("the node stops its work").isTrue();
    assertThat(rig.sql().rows("SELECT to_regclass('t')")).containsExactly("null");
    assertThatThrownBy(() -> rig.control().cancel(job))
        .hasFieldOrPropertyWithValue("code", FailureCode.TOO_LATE);
    rig.stopQueue(); // the attempt has ended, too
    assertThat(rig.effects()).containsExactly(new Effect(Effect.CALLBACK, "http://receiver"));
    assertThat(rig.ended())
        .singleElement()
        .isEqualTo(
            new JobEnd(
                job,
                "load",
                "p",
                JobState.CANCELLED,
                1,
                FailureCode.CANCELLED,
                "cancelled on request",
                List.of()));
  }

  @Test
  void aJobThatWaitsIsCancelledAndOneThatIsUnknownIsNot() throws Exception {
    rig = JobRig.start(new Routes());
    JobRequest other = new JobRequest("work", "p", "work").target("warehouse/public.t");
    rig.launch(other);
    assertThat(waiting.await(20, TimeUnit.SECONDS)).isTrue();
    UUID second = rig.launch(other);
    assertThat(rig.control().cancel(second)).isTrue();
    assertThat(rig.job(second)).isEqualTo("work cancelled 0 CANCELLED");
    assertThat(rig.control().cancel(UUID.randomUUID())).isFalse();
  }

  @Test
  void aJobThatHasLoadedCannotBeCancelled() throws Exception {
    rig = JobRig.start(new Routes());
    UUID job = launch("load", Duration.ofMinutes(5));
    go.countDown();
    rig.awaitJob(job, "completed 1");
    assertThatThrownBy(() -> rig.control().cancel(job))
        .hasFieldOrPropertyWithValue("code", FailureCode.TOO_LATE)
        .hasMessageContaining(job.toString());
    assertThat(rig.job(job)).endsWith("completed 1");
  }

  @Test
  void aNodeThatStopsLetsItsJobsEnd() throws Exception {
    rig = JobRig.start(new Routes());
    UUID job = launch("work", Duration.ofMinutes(5));
    Thread stop = new Thread(rig::stopQueue);
    stop.start();
    await().until(() -> stop.getState() == Thread.State.TIMED_WAITING); // for the job that runs
    UUID later = rig.launch(new JobRequest("work", "p", "work"));
    go.countDown();
    stop.join(TimeUnit.SECONDS.toMillis(20));
    assertThat(stop.isAlive()).isFalse();
    assertThat(rig.job(job)).endsWith("completed 1");
    assertThat(rig.job(later)).isEqualTo("work queued 0");
  }

  /** Twenty seconds are what running jobs get. */
  @Test
  void aNodeThatStopsHandsBackWhatDoesNotEnd() throws Exception {
    rig = JobRig.start(new Routes());
    UUID job = launch("load", Duration.ofMinutes(5));
    rig.stopQueue();
    assertThat(rig.job(job)).isEqualTo("load queued 0");
    assertThat(rig.sql().rows("SELECT admission, run_after <= now() FROM caravan.job"))
        .containsExactly("null|t");
    assertThat(rig.sql().rows("SELECT to_regclass('t')")).containsExactly("null");
  }
}
