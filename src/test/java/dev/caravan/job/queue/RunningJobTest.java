package dev.caravan.job.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.job.Attempt;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** The thread of an attempt is one of a pool. */
class RunningJobTest {

  private final RunningJob job =
      new RunningJob(
          new Attempt(
              UUID.randomUUID(),
              1,
              1,
              1,
              "default",
              "kind",
              "",
              "route",
              "{}",
              Optional.empty(),
              false));

  @Test
  void interruptsTheThreadOfAnAttemptThatIsStopped() throws Exception {
    job.work(
        () -> {
          job.stop(StopReason.LOST);
          assertThat(Thread.interrupted()).isTrue();
        });
  }

  @Test
  void leavesTheThreadAloneOnceTheAttemptIsOver() throws Exception {
    CountDownLatch stopping = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(1);
    job.onStop(
        () -> {
          stopping.countDown();
          awaitIt(over);
        });
    Thread stop = new Thread(() -> job.stop(StopReason.LOST));
    job.work(
        () -> {
          stop.start();
          stopping.await();
        });
    over.countDown();
    while (stop.isAlive() && !Thread.currentThread().isInterrupted()) {
      Thread.onSpinWait();
    }
    assertThat(Thread.interrupted()).isFalse();
  }

  private static void awaitIt(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
