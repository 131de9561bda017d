package dev.caravan.job.queue;

import com.github.kagkarlsson.scheduler.Clock;
import java.time.Instant;

/**
 * The database's time, carried on by this machine's steady clock: nodes whose wall clocks differ or
 * jump agree on what is due and who is dead.
 */
final class DatabaseClock implements Clock {

  private volatile Instant instant;
  private volatile long at;

  DatabaseClock(Instant instant) {
    set(instant);
  }

  /** The database says that it is this late now. */
  void set(Instant now) {
    synchronized (this) {
      at = System.nanoTime();
      instant = now;
    }
  }

  @Override
  public synchronized Instant now() {
    return instant.plusNanos(System.nanoTime() - at);
  }
}
