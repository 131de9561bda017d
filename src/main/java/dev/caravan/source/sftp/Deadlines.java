package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Ends what takes too long with a server by closing its connection. A limit on silence is not
 * enough: a server that sends a byte now and then is never silent.
 */
final class Deadlines implements AutoCloseable {

  private final ScheduledThreadPoolExecutor clock;

  /** None yet. */
  Deadlines() {
    clock =
        new ScheduledThreadPoolExecutor(
            1,
            work -> {
              Thread thread = new Thread(work, "sftp-deadlines");
              thread.setDaemon(true);
              return thread;
            });
    clock.setRemoveOnCancelPolicy(true);
  }

  /**
   * Does the work on the calling thread.
   *
   * @param close makes the work fail, and returns at once
   * @throws CaravanException SOURCE_UNAVAILABLE when the work did not end in time
   */
  <T> T within(Duration limit, String what, Runnable close, Supplier<T> work) {
    AtomicBoolean over = new AtomicBoolean();
    ScheduledFuture<?> deadline =
        clock.schedule(
            () -> {
              over.set(true);
              close.run();
            },
            limit.toMillis(),
            TimeUnit.MILLISECONDS);
    try {
      T result = work.get();
      if (!over.get()) {
        return result;
      }
    } catch (RuntimeException e) {
      if (!over.get()) {
        throw e;
      }
      throw late(limit, what, e);
    } finally {
      deadline.cancel(false);
    }
    throw late(limit, what, null);
  }

  private static CaravanException late(Duration limit, String what, Throwable cause) {
    return new CaravanException(
        FailureCode.SOURCE_UNAVAILABLE,
        "%s: the server was not done after %d s.".formatted(what, limit.toSeconds()),
        cause);
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
