package dev.caravan.outbox;

import com.github.kagkarlsson.scheduler.task.CompletionHandler;
import com.github.kagkarlsson.scheduler.task.FailureHandler;
import com.github.kagkarlsson.scheduler.task.Task;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out entries of the outbox. db-scheduler decides which node has one and when; the entry
 * says whether it is still to be done, and is written before the execution is let go: a node that
 * dies in between does harm to nothing.
 */
public final class OutboxTask {

  private static final Logger LOG = LoggerFactory.getLogger(OutboxTask.class);

  private static final RetrySchedule SOON =
      RetrySchedule.doubling(Duration.ofMillis(100), Duration.ofMinutes(1), Duration.ofHours(24));
  private static final Duration DATABASE_PAUSE = Duration.ofSeconds(10);
  private static final Duration UNKNOWN_KIND_PAUSE = Duration.ofMinutes(1);
  private static final Duration SHORTEST_BUSY_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_BUSY_PAUSE = Duration.ofMinutes(1);

  private final Outbox outbox;
  private final String node;
  private final Map<String, EffectHandler> handlers;
  private final Semaphore free;

  /**
   * @param node name of this process, for the log of attempts
   * @param handlers by the kind of entry that they carry out
   * @param atOnce how many attempts this node makes at the same time; with so many threads more
   *     than it needs for other tasks, receivers that hang hold up none of those
   */
  public OutboxTask(Outbox outbox, String node, Map<String, EffectHandler> handlers, int atOnce) {
    this.outbox = outbox;
    this.node = node;
    this.handlers = Map.copyOf(handlers);
    this.free = new Semaphore(atOnce);
  }

  /**
   * For a scheduler whose threads this task may keep waiting, on the table of the job's database.
   */
  public Task<Void> task() {
    return Tasks.custom(Outbox.TASK, Void.class)
        .onFailure(new FailureHandler.OnFailureRetryLater<>(DATABASE_PAUSE))
        .onDeadExecutionRevive()
        .execute((instance, context) -> run(UUID.fromString(instance.getId())));
  }

  private CompletionHandler<Void> run(UUID id) {
    try {
      Optional<OutboxEntry> entry = outbox.find(id);
      if (entry.isEmpty() || !entry.get().pending()) {
        return new CompletionHandler.OnCompleteRemove<>();
      }
      EffectHandler handler = handlers.get(entry.get().kind());
      if (handler == null) {
        LOG.warn("outbox {}: this version knows no '{}'; another may", id, entry.get().kind());
        return again(UNKNOWN_KIND_PAUSE);
      }
      if (!free.tryAcquire()) {
        return again(busyPause(entry.get().age()));
      }
      try {
        return attempt(entry.get(), handler);
      } finally {
        free.release();
      }
    } catch (SQLException e) {
      throw new CaravanException(
          FailureCode.DB_ERROR, "outbox %s: %s".formatted(id, e.getMessage()), e);
    }
  }

  private CompletionHandler<Void> attempt(OutboxEntry entry, EffectHandler handler)
      throws SQLException {
    long start = System.nanoTime();
    Outcome outcome;
    try {
      outcome = handler.run(entry.id(), entry.payload());
    } catch (InterruptedException e) {
      return again(Duration.ZERO); // the flag stays cleared: what follows writes to the database
    } catch (RuntimeException e) {
      LOG.warn("outbox {} ({}) failed unexpectedly", entry.id(), entry.kind(), e);
      outcome = Outcome.retry(null, e.toString(), Duration.ZERO);
    }
    if (outcome.kind() == Outcome.Kind.BUSY) {
      return again(busyPause(entry.age()));
    }
    Optional<Duration> pause = pause(entry, handler, outcome);
    Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
    outbox.record(entry.id(), node, outcome, pause.isEmpty(), elapsed);
    if (pause.isEmpty() && outcome.kind() != Outcome.Kind.DONE) {
      LOG.warn(
          "outbox {} ({} of job {}) is given up: {}",
          entry.id(),
          entry.kind(),
          entry.jobId(),
          outcome.error());
    }
    return pause.map(OutboxTask::again).orElseGet(CompletionHandler.OnCompleteRemove::new);
  }

  private static Optional<Duration> pause(
      OutboxEntry entry, EffectHandler handler, Outcome outcome) {
    return switch (outcome.kind()) {
      case RETRY ->
          handler
              .retries()
              .pauseAfter(entry.retries())
              .map(p -> p.compareTo(outcome.notBefore()) < 0 ? outcome.notBefore() : p);
      case SOON -> SOON.pauseAfter(entry.soon());
      case DONE, FINAL, BUSY -> Optional.empty();
    };
  }

  /** The longer it waits, the more rarely it asks: any number of entries may wait for one host. */
  private static Duration busyPause(Duration age) {
    Duration pause = age.dividedBy(4);
    pause = pause.compareTo(LONGEST_BUSY_PAUSE) > 0 ? LONGEST_BUSY_PAUSE : pause;
    pause = pause.compareTo(SHORTEST_BUSY_PAUSE) < 0 ? SHORTEST_BUSY_PAUSE : pause;
    return Duration.ofMillis(
        (long) (pause.toMillis() * ThreadLocalRandom.current().nextDouble(0.5, 1)));
  }

  private static CompletionHandler<Void> again(Duration pause) {
    return (complete, operations) ->
        operations.reschedule(complete, complete.getTimeDone().plus(pause));
  }
}
