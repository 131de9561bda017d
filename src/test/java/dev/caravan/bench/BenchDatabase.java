package dev.caravan.bench;

import dev.caravan.database.Database;
import dev.caravan.embedded.EmbeddedDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** The embedded PostgreSQL with its durable settings, in a directory of the benchmark's own. */
record BenchDatabase(EmbeddedDatabase server, Database pool) implements AutoCloseable {

  static BenchDatabase start(Path folder) {
    EmbeddedDatabase server = EmbeddedDatabase.start(folder, 0);
    return new BenchDatabase(
        server, Database.open("bench", server.jdbcUrl(), server.username(), server.password(), 4));
  }

  DataSource dataSource() {
    return pool.dataSource();
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(true);
      statement.execute(sql);
    }
  }

  /** Equal for tables with equal rows, in whatever order. */
  String fingerprint(String table) throws SQLException {
    String sql = "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM " + table + " t";
    try (Connection connection = dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  @Override
  public void close() {
    pool.close();
    server.close();
  }
}
