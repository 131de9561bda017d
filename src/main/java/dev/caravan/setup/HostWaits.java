package dev.caravan.setup;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares of threads that wait for servers of tenants: so many of a tenant, so many in all, and each
 * to its deadline. What is more is refused at once, so that the other threads never wait for
 * anybody's server. At the deadline the socket that the thread waits for is closed.
 */
public final class HostWaits {

  private static final Logger LOG = LoggerFactory.getLogger(HostWaits.class);
  private static final ThreadLocal<Wait> CURRENT = new ThreadLocal<>();

  private final int perTenant;
  private final Semaphore all;
  private final Duration deadline;
  private final Map<String, Integer> waiting = new ConcurrentHashMap<>();

  /**
   * @param perTenant threads of one tenant that wait at the same time
   * @param inAll those of all tenants
   * @param deadline of each
   */
  public HostWaits(int perTenant, int inAll, Duration deadline) {
    this.perTenant = perTenant;
    this.all = new Semaphore(inAll);
    this.deadline = deadline;
  }

  /** What may wait for somebody else's server. */
  @FunctionalInterface
  public interface Work<T> {
    T run() throws SQLException;
  }

  /** Too many wait already, or the server was silent until the deadline; the message says which. */
  public static final class Refused extends RuntimeException {

    private final boolean silent;

    private Refused(String message, boolean silent) {
      super(message, null, false, false);
      this.silent = silent;
    }

    /** True when it was waited for; false when nothing was done. */
    public boolean isSilent() {
      return silent;
    }
  }

  /**
   * Works in the calling thread.
   *
   * @throws Refused when too many wait, or the deadline came
   */
  public <T> T run(String tenant, Work<T> work) throws SQLException {
    if (!all.tryAcquire()) {
      throw new Refused("Too many calls wait for databases and servers; try again later.", false);
    }
    try {
      if (waiting.merge(tenant, 1, Integer::sum) > perTenant) {
        throw new Refused(
            "%d calls of the tenant wait for its databases and servers; try again later."
                .formatted(perTenant),
            false);
      }
      return inTime(work);
    } finally {
      waiting.compute(tenant, (name, count) -> count == 1 ? null : count - 1);
      all.release();
    }
  }

  private <T> T inTime(Work<T> work) throws SQLException {
    Wait wait = new Wait(Thread.currentThread());
    ScheduledFuture<?> alarm =
        TenantServers.CLOCK.schedule(wait::expire, deadline.toMillis(), TimeUnit.MILLISECONDS);
    CURRENT.set(wait);
    try {
      return work.run();
    } catch (SQLException | RuntimeException e) {
      if (wait.isOver()) {
        throw late(e);
      }
      throw e;
    } finally {
      CURRENT.remove();
      alarm.cancel(false);
      wait.end();
    }
  }

  private Refused late(Exception e) {
    LOG.warn("A server of a tenant was waited for in vain: {}", e.getMessage());
    return new Refused(
        "The server of the connection or project was silent for %d s; it is not waited for any more."
            .formatted(deadline.toSeconds()),
        true);
  }

  /**
   * The calling thread is about to wait for the socket.
   *
   * @throws SocketTimeoutException when it may not, because its deadline has come
   */
  static void using(Socket socket) throws SocketTimeoutException {
    Wait wait = CURRENT.get();
    if (wait != null) {
      wait.use(socket);
    }
  }

  /** Closes one from another thread than the one that waits for it. */
  static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      LOG.debug("A socket was closed at its deadline, and said: {}", e.getMessage());
    }
  }

  private static final class Wait {

    private final Thread thread;
    private Socket socket;
    private boolean over;
    private boolean ended;

    Wait(Thread thread) {
      this.thread = thread;
    }

    synchronized void use(Socket next) throws SocketTimeoutException {
      if (over) {
        throw new SocketTimeoutException("The deadline of the call has come");
      }
      socket = next;
    }

    synchronized boolean isOver() {
      return over;
    }

    /** Servers of other kinds than PostgreSQL are waited for so that an interrupt ends it. */
    synchronized void expire() {
      if (!ended) {
        over = true;
        if (socket != null) {
          close(socket);
        }
        thread.interrupt();
      }
    }

    /** No interrupt is left for what the thread does next. */
    synchronized void end() {
      ended = true;
      if (over) {
        Thread.interrupted();
      }
    }
  }
}
