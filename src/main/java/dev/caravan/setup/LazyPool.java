package dev.caravan.setup;

import com.zaxxer.hikari.HikariDataSource;
import dev.caravan.database.Database;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.logging.Logger;
import javax.sql.DataSource;

/** A pool that is opened when a connection is first asked for, and anew after a change. */
final class LazyPool implements DataSource, AutoCloseable {

  /** An open pool, and the connection that it is for. */
  record Opened(String tenant, long version, Database database) {
    boolean isIdle() {
      HikariDataSource pool = database.dataSource();
      return pool.getHikariPoolMXBean() == null
          || pool.getHikariPoolMXBean().getActiveConnections() == 0;
    }
  }

  @FunctionalInterface
  interface Opening {
    Opened open() throws SQLException;
  }

  private final Opening opening;
  private final Executor closer;
  private final List<Opened> retired = new ArrayList<>();
  private FutureTask<Opened> opened;
  private volatile long used;

  /**
   * @param closer closes pools, for which a server may let it wait
   */
  LazyPool(Opening opening, Executor closer) {
    this.opening = opening;
    this.closer = closer;
  }

  @Override
  public Connection getConnection() throws SQLException {
    FutureTask<Opened> task = task();
    used = System.nanoTime();
    task.run(); // by the first caller only; the others wait for that one
    try {
      return task.get().database().dataSource().getConnection();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLException("Interrupted while the database was waited for", e);
    } catch (ExecutionException e) {
      forget(task);
      throw of(e.getCause());
    }
  }

  private static SQLException of(Throwable cause) {
    if (cause instanceof RuntimeException defect) {
      throw defect;
    }
    return cause instanceof SQLException failure ? failure : new SQLException(cause);
  }

  /** Nobody waits with the lock in hand: a look at the versions must not wait for a server. */
  private synchronized FutureTask<Opened> task() {
    if (opened == null) {
      opened = new FutureTask<>(opening::open);
    }
    return opened;
  }

  private synchronized void forget(FutureTask<Opened> failed) {
    if (opened == failed) {
      opened = null;
    }
  }

  /** The open pool; empty while there is none. */
  private synchronized Optional<Opened> current() {
    try {
      return opened != null && opened.isDone() ? Optional.of(opened.get()) : Optional.empty();
    } catch (ExecutionException e) {
      return Optional.empty(); // whoever asked for it is told
    } catch (InterruptedException e) {
      throw new IllegalStateException("it is done", e);
    }
  }

  /** True while it has a pool of the tenant. */
  boolean isOpenFor(String tenant) {
    return current().filter(pool -> pool.tenant().equals(tenant)).isPresent();
  }

  /** Since when nobody asked for a connection, in {@link System#nanoTime}. */
  long used() {
    return used;
  }

  /** True when nobody has a connection of it now. */
  boolean isIdle() {
    return current().filter(Opened::isIdle).isPresent();
  }

  /** Retires a pool of another version; closes those that nobody uses any more. */
  synchronized void keepOnly(long version) {
    if (current().filter(pool -> pool.version() != version).isPresent()) {
      retire();
    }
    List<Opened> idle = retired.stream().filter(Opened::isIdle).toList();
    retired.removeAll(idle);
    idle.forEach(pool -> closer.execute(pool.database()::close));
  }

  /** The next caller opens another one. */
  synchronized void retire() {
    current().ifPresent(retired::add);
    opened = null;
  }

  @Override
  public synchronized void close() {
    retire();
    retired.forEach(pool -> pool.database().close());
    retired.clear();
  }

  @Override
  public Connection getConnection(String username, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public PrintWriter getLogWriter() {
    return null;
  }

  @Override
  public void setLogWriter(PrintWriter out) {}

  @Override
  public void setLoginTimeout(int seconds) {}

  @Override
  public int getLoginTimeout() {
    return 0;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    throw new SQLException("it wraps nothing");
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return false;
  }
}
