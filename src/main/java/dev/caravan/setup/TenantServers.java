package dev.caravan.setup;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;

/** What all connections of this process to servers of tenants have in common. */
final class TenantServers {

  private static final long MAX_MEMORY = 64L << 20;

  private static final Map<String, Memory> MEMORY = new ConcurrentHashMap<>();

  /** Closes what took too long; its tasks never wait. */
  static final ScheduledThreadPoolExecutor CLOCK = clock();

  private TenantServers() {}

  private static ScheduledThreadPoolExecutor clock() {
    ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1,
            work -> {
              Thread thread = new Thread(work, "tenant-deadlines");
              thread.setDaemon(true);
              return thread;
            });
    clock.setRemoveOnCancelPolicy(true);
    return clock;
  }

  /**
   * The memory that answers of one tenant's servers may fill: an eighth of the heap, 64 MB most.
   */
  static Memory memory(String tenant) {
    return MEMORY.computeIfAbsent(
        tenant, name -> new Memory(Math.min(MAX_MEMORY, Runtime.getRuntime().maxMemory() / 8)));
  }

  /** A share of the heap. */
  static final class Memory {

    private final long most;
    private final AtomicLong used = new AtomicLong();

    Memory(long most) {
      this.most = most;
    }

    /** In bytes. */
    long most() {
      return most;
    }

    /** Takes so many bytes; false when they are not left. */
    boolean take(long bytes) {
      if (used.addAndGet(bytes) > most) {
        used.addAndGet(-bytes);
        return false;
      }
      return true;
    }

    void give(long bytes) {
      used.addAndGet(-bytes);
    }
  }
}
