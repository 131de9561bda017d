package dev.caravan.setup.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Several statements that hold together or not at all. */
final class Transaction {

  private Transaction() {}

  @FunctionalInterface
  interface Work<T> {
    T with(Connection connection) throws SQLException;
  }

  static <T> T in(DataSource dataSource, Work<T> work) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        T result = work.with(connection);
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }
}
