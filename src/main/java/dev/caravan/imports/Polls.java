package dev.caravan.imports;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who polls when. Few threads do so for all projects; a tenant whose servers do not answer has a
 * part of them at the most, so that the folders of the others are looked into in time.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what is scheduled guards itself
final class Polls implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Polls.class);
  private static final int AT_ONCE = 16;
  private static final int AT_ONCE_OF_A_TENANT = 4;
  private static final Duration BUSY_WAIT = Duration.ofMillis(250);

  private final Consumer<Poller> look;
  private final Map<String, Poller> all = new ConcurrentHashMap<>();
  private final Map<String, Semaphore> shares = new ConcurrentHashMap<>();
  private final ScheduledThreadPoolExecutor threads;

  /**
   * None yet.
   *
   * @param look what is done when it is a poller's time
   */
  Polls(Consumer<Poller> look) {
    this.look = look;
    threads =
        new ScheduledThreadPoolExecutor(
            AT_ONCE,
            work -> {
              Thread thread = new Thread(work, "poll");
              thread.setDaemon(true);
              return thread;
            });
    threads.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    threads.setRemoveOnCancelPolicy(true);
  }

  /** Polls from now on, in the place of an older one of the project. */
  void put(Poller poller) {
    all.put(poller.key(), poller);
    again(poller, Duration.ZERO);
  }

  /** The poller of a project; empty when it is not polled. */
  Optional<Poller> find(String key) {
    return Optional.ofNullable(all.get(key));
  }

  /** Polls no more; nothing happens when it did not. */
  void remove(String key) {
    all.remove(key);
  }

  private void again(Poller poller, Duration delay) {
    if (!threads.isShutdown()) {
      threads.schedule(() -> run(poller), delay.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void run(Poller poller) {
    if (!poller.equals(all.get(poller.key()))) {
      return; // it is removed or replaced
    }
    Semaphore share =
        shares.computeIfAbsent(poller.tenant(), tenant -> new Semaphore(AT_ONCE_OF_A_TENANT));
    if (!share.tryAcquire()) {
      again(poller, BUSY_WAIT);
      return;
    }
    try {
      look.accept(poller);
    } catch (RuntimeException e) {
      LOG.error("The folder of project {} could not be polled", poller.key(), e);
    } finally {
      share.release();
      again(poller, poller.interval());
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
