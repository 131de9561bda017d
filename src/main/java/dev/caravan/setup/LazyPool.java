package dev.caravan.setup;

import com.zaxxer.hikari.HikariDataSource;
import dev.caravan.database.Database;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;
import javax.sql.DataSource;

/** A pool that is opened when a connection is first asked for, and anew after a change. */
final class LazyPool implements DataSource, AutoCloseable {

  /** An open pool and the version of the connection that it is for. */
  record Opened(long version, Database database) {
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
  private final List<Opened> retired = new ArrayList<>();
  private Opened opened;

  LazyPool(Opening opening) {
    this.opening = opening;
  }

  @Override
  public Connection getConnection() throws SQLException {
    return opened().database().dataSource().getConnection();
  }

  private synchronized Opened opened() throws SQLException {
    if (opened == null) {
      opened = opening.open();
    }
    return opened;
  }

  /** Retires a pool of another version; closes those that nobody uses any more. */
  synchronized void keepOnly(long version) {
    if (opened != null && opened.version() != version) {
      retired.add(opened);
      opened = null;
    }
    retired.stream().filter(Opened::isIdle).forEach(idle -> idle.database().close());
    retired.removeIf(pool -> pool.database().dataSource().isClosed());
  }

  @Override
  public synchronized void close() {
    if (opened != null) {
      retired.add(opened);
      opened = null;
    }
    retired.forEach(pool -> pool.database().close());
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
