package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PollsTest {

  private static final Duration RARELY = Duration.ofDays(1);
  private static final int SHARE = 4;

  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicInteger done = new AtomicInteger();
  private final CountDownLatch answers = new CountDownLatch(1);

  private void look(Poller poller) {
    if (poller.tenant().equals("slow")) {
      waiting.incrementAndGet();
      try {
        answers.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    done.incrementAndGet();
  }

  private static Poller poller(String tenant, int number) {
    return new Poller(tenant, tenant + "." + number, RARELY, null, null);
  }

  @Test
  void aTenantWhoseServersDoNotAnswerHasItsShareOfTheThreads() {
    int projects = 20; // more than there are threads
    try (Polls polls = new Polls(this::look)) {
      for (int i = 0; i < projects; i++) {
        polls.put(poller("slow", i));
      }
      await().until(waiting::get, count -> count == SHARE);
      for (int i = 0; i < projects; i++) {
        polls.put(poller("other", i));
      }
      await().until(done::get, count -> count == projects);
      assertThat(waiting).hasValue(SHARE);
      answers.countDown();
      await().until(done::get, count -> count == 2 * projects);
    }
  }
}
