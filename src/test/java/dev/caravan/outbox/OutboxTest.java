package dev.caravan.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.github.kagkarlsson.scheduler.Scheduler;
import dev.caravan.outbox.Outbox.Redelivery;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class OutboxTest {

  private static OutboxRig rig;

  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  @BeforeAll
  static void start() {
    rig = new OutboxRig();
  }

  @AfterEach
  void stopNodes() {
    rig.stopNodes();
  }

  @AfterAll
  static void stop() {
    rig.close();
  }

  /** Notes what it is asked for, then ends as told. */
  private EffectHandler handler(RetrySchedule retries, Function<UUID, Outcome> attempt) {
    return new EffectHandler() {
      @Override
      public Outcome run(UUID id, String payload) {
        seen.add(payload);
        return attempt.apply(id);
      }

      @Override
      public RetrySchedule retries() {
        return retries;
      }
    };
  }

  private EffectHandler working() {
    return handler(OutboxRig.QUICK, id -> Outcome.done(null));
  }

  private EffectHandler failing(RetrySchedule retries) {
    return handler(retries, id -> Outcome.retry(500, "not\0today", Duration.ZERO));
  }

  private void awaitState(UUID entry, String state) {
    await().untilAsserted(() -> assertThat(rig.state(entry)).isEqualTo(state));
    await().untilAsserted(() -> assertThat(rig.executions(entry)).isZero());
  }

  @Test
  void happensAfterTheCommitAndNeverBefore() throws Exception {
    rig.node("a", Map.of("test", working()));
    UUID job = rig.job();
    try (Connection open = rig.transaction();
        Connection undone = rig.transaction()) {
      UUID waiting = Outbox.add(open, job, "test", "\"waiting\"");
      Outbox.add(undone, job, "test", "\"undone\"");
      undone.rollback();
      awaitState(rig.add("test", "\"between\""), "done");
      assertThat(seen).containsExactly("\"between\"");
      open.commit();
      awaitState(waiting, "done");
    }
    awaitState(rig.add("test", "\"after\""), "done");
    assertThat(seen).containsExactly("\"between\"", "\"waiting\"", "\"after\"");
  }

  @Test
  void triesAgainUntilItWorks() throws Exception {
    List<Outcome> answers =
        List.of(
            Outcome.retry(503, "away", Duration.ZERO),
            Outcome.soon(409, "not yet"),
            Outcome.soon(409, "not yet"),
            Outcome.done(204));
    rig.node("a", Map.of("test", handler(OutboxRig.QUICK, id -> answers.get(seen.size() - 1))));
    UUID entry = rig.add("test", "{}");
    awaitState(entry, "done");
    assertThat(rig.attempts(entry))
        .containsExactly("retry|503", "soon|409", "soon|409", "done|204");
  }

  @Test
  void givesUpAtTheEndOfTheScheduleAndIsDeliveredWhenAskedFor() throws Exception {
    rig.node("a", Map.of("test", failing(OutboxRig.QUICK)));
    UUID entry = rig.add("test", "{}");
    awaitState(entry, "given_up");
    assertThat(rig.attempts(entry))
        .containsExactly("retry|500", "retry|500", "retry|500", "retry|500");
    assertThat(rig.error(entry)).isEqualTo("not today");

    assertThat(rig.outbox().redeliver(rig.jobOf(entry), entry)).isEqualTo(Redelivery.SCHEDULED);
    await().untilAsserted(() -> assertThat(rig.attempts(entry)).hasSize(8));
    awaitState(entry, "given_up");
    rig.stopNodes();
    rig.node("b", Map.of("test", working()));
    assertThat(rig.outbox().redeliver(rig.jobOf(entry), entry)).isEqualTo(Redelivery.SCHEDULED);
    awaitState(entry, "done");
    assertThat(rig.attempts(entry)).hasSize(9).endsWith("done|null");
    assertThat(rig.outbox().redeliver(rig.jobOf(entry), UUID.randomUUID()))
        .isEqualTo(Redelivery.UNKNOWN);
  }

  @Test
  void bringsForwardAnAttemptThatIsToComeLater() throws Exception {
    rig.node("a", Map.of("test", failing(OutboxRig.NEXT_HOUR)));
    UUID entry = rig.add("test", "{}");
    await()
        .untilAsserted(
            () ->
                assertThat(
                        rig.sql()
                            .value(
                                "SELECT picked OR execution_time < now() + interval '50 min' FROM caravan.scheduled_tasks WHERE task_instance = '"
                                    + entry
                                    + "'"))
                    .isEqualTo("f"));
    assertThat(rig.outbox().redeliver(rig.jobOf(entry), entry)).isEqualTo(Redelivery.SCHEDULED);
    await().untilAsserted(() -> assertThat(rig.attempts(entry)).hasSize(2));
    assertThat(rig.state(entry)).isEqualTo("pending");
  }

  @Test
  void givesUpAtOnceWhenItWouldFailAgain() throws Exception {
    rig.node("a", Map.of("test", handler(OutboxRig.QUICK, id -> Outcome.failed(410, "gone"))));
    UUID entry = rig.add("test", "{}");
    awaitState(entry, "given_up");
    assertThat(rig.attempts(entry)).containsExactly("final|410");
  }

  @Test
  void takesAnExceptionForAFailureThatMayPass() throws Exception {
    rig.node(
        "a",
        Map.of(
            "test",
            handler(
                OutboxRig.QUICK,
                id -> {
                  if (seen.size() == 1) {
                    throw new IllegalStateException("oops");
                  }
                  return Outcome.done(null);
                })));
    UUID entry = rig.add("test", "{}");
    awaitState(entry, "done");
    assertThat(rig.attempts(entry)).containsExactly("retry|null", "done|null");
  }

  @Test
  void waitsWithoutAnAttemptWhileTheNodeIsBusy() throws Exception {
    rig.node(
        "a",
        Map.of(
            "test",
            handler(OutboxRig.QUICK, id -> seen.size() < 3 ? Outcome.busy() : Outcome.done(null))));
    UUID entry = rig.add("test", "{}");
    awaitState(entry, "done");
    assertThat(rig.attempts(entry)).containsExactly("done|null");
  }

  @Test
  void leavesThreadsToOthersHoweverManyReceiversHang() throws Exception {
    CountDownLatch answers = new CountDownLatch(1);
    AtomicInteger running = new AtomicInteger();
    AtomicInteger mostAtOnce = new AtomicInteger();
    EffectHandler hanging =
        handler(
            OutboxRig.QUICK,
            id -> {
              mostAtOnce.accumulateAndGet(running.incrementAndGet(), Math::max);
              awaitUninterruptibly(answers);
              running.decrementAndGet();
              return Outcome.done(null);
            });
    rig.node("a", Map.of("test", hanging), 2);
    List<UUID> entries = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      entries.add(rig.add("test", "{}"));
    }
    String deferred =
        "SELECT count(*) FROM caravan.scheduled_tasks WHERE consecutive_failures = 0 AND task_instance IN ('%s')"
            .formatted(String.join("','", entries.stream().map(UUID::toString).toList()));
    await().untilAsserted(() -> assertThat(rig.sql().value(deferred)).isEqualTo("3"));
    answers.countDown();
    entries.forEach(
        entry -> {
          awaitState(entry, "done");
          assertThat(rig.attempts(entry)).containsExactly("done|null");
        });
    assertThat(mostAtOnce).hasValue(2);
  }

  @Test
  void isDoneByAnotherNodeWhenOneDiesBeforeItCouldSaySo() throws Exception {
    CountDownLatch wakes = new CountDownLatch(1);
    Queue<UUID> ids = new ConcurrentLinkedQueue<>();
    Scheduler paused =
        rig.node(
            "paused",
            Map.of(
                "test",
                handler(
                    OutboxRig.QUICK,
                    id -> {
                      ids.add(id);
                      awaitUninterruptibly(wakes); // had its effect; its heartbeats do not come
                      return Outcome.failed(null, "too late");
                    })));
    UUID entry = rig.add("test", "{}");
    await().until(() -> ids.size() == 1);
    paused.pause();
    assertThat(rig.outbox().redeliver(rig.jobOf(entry), entry)).isEqualTo(Redelivery.RUNNING);
    rig.impatientNode(
        "next",
        Map.of(
            "test",
            handler(
                OutboxRig.QUICK,
                id -> {
                  ids.add(id);
                  return Outcome.done(null);
                })));
    awaitState(entry, "done");
    assertThat(ids).containsExactly(entry, entry);
    wakes.countDown();
    await()
        .untilAsserted(
            () -> assertThat(rig.attempts(entry)).containsExactly("done|null", "final|null"));
    assertThat(rig.state(entry)).isEqualTo("done");
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void leavesWhatItDoesNotKnowToOthers() throws Exception {
    rig.node("old", Map.of());
    UUID entry = rig.add("new", "{}");
    String next =
        "SELECT NOT picked AND execution_time > now() FROM caravan.scheduled_tasks WHERE task_instance = '%s'"
            .formatted(entry);
    await().untilAsserted(() -> assertThat(rig.sql().value(next)).isEqualTo("t"));
    assertThat(rig.state(entry)).isEqualTo("pending");
    assertThat(rig.attempts(entry)).isEmpty();
  }

  @Test
  void endsWithItsJob() throws Exception {
    UUID entry = rig.add("test", "{}");
    rig.sql()
        .execute(
            "DELETE FROM caravan.job WHERE id = (SELECT job_id FROM caravan.outbox WHERE id = '%s')"
                .formatted(entry));
    rig.node("a", Map.of("test", working()));
    await().untilAsserted(() -> assertThat(rig.executions(entry)).isZero());
    assertThat(seen).isEmpty();
  }

  @Test
  void keepsTheNewestHundredAttempts() throws Exception {
    RetrySchedule often =
        RetrySchedule.doubling(Duration.ofMillis(1), Duration.ofMillis(1), Duration.ofMillis(104));
    rig.node("a", Map.of("test", failing(often)));
    UUID entry = rig.add("test", "{}");
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(rig.state(entry)).isEqualTo("given_up"));
    assertThat(
            rig.sql()
                .value(
                    "SELECT min(attempt) || ' ' || max(attempt) FROM caravan.outbox_attempt WHERE outbox_id = '%s'"
                        .formatted(entry)))
        .isEqualTo("6 105");
  }

  @Test
  void listsTheEntriesOfAJobWithTheirAttempts() throws Exception {
    rig.node("a", Map.of("test", failing(OutboxRig.NEXT_HOUR)));
    UUID entry = rig.add("test", "{\"url\": \"https://hooks.example:8443/s3cret?t=s3cret\"}");
    await().untilAsserted(() -> assertThat(rig.attempts(entry)).hasSize(1));
    UUID job =
        UUID.fromString(
            rig.sql().value("SELECT job_id FROM caravan.outbox WHERE id = '%s'".formatted(entry)));
    assertThat(rig.outbox().list(job))
        .contains(
            entry.toString(),
            "\"kind\": \"test\"",
            "\"state\": \"pending\"",
            "\"host\": \"https://hooks.example:8443\"",
            "\"next_attempt_at\": \"20",
            "\"outcome\": \"retry\"",
            "\"status_code\": 500",
            "\"error\": \"not today\"",
            "\"node\": \"a\"")
        .doesNotContain("s3cret");
    assertThat(rig.outbox().list(UUID.randomUUID())).isEqualTo("[]");
  }
}
