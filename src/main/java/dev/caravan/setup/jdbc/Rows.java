package dev.caravan.setup.jdbc;

import dev.caravan.setup.RefusedSetup;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

/** What the tables of connections and projects have in common. */
final class Rows {

  private static final String TAKEN = "23505";

  private Rows() {}

  @FunctionalInterface
  interface Mapper<T> {
    T of(ResultSet row) throws SQLException;
  }

  static <T> List<T> all(PreparedStatement query, Mapper<T> mapper) throws SQLException {
    List<T> rows = new ArrayList<>();
    try (ResultSet row = query.executeQuery()) {
      while (row.next()) {
        rows.add(mapper.of(row));
      }
    }
    return rows;
  }

  static Instant instant(ResultSet row, int column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  /**
   * The error, unless it says that the name is taken.
   *
   * @param thing that has the name, for people
   */
  static SQLException named(SQLException e, String thing) {
    if (TAKEN.equals(e.getSQLState())) {
      throw RefusedSetup.conflict("There is a %s already.".formatted(thing));
    }
    return e;
  }
}
