package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The staging table of one load: the line, then one text column per field. It is temporary, so it
 * belongs to the transaction and is gone with it, whatever happens.
 */
final class Staging {

  static final String TABLE = "pg_temp.caravan_staging";

  private final Connection connection;
  private final ColumnPlan plan;

  private Staging(Connection connection, ColumnPlan plan) {
    this.connection = connection;
    this.plan = plan;
  }

  static Staging create(Connection connection, ColumnPlan plan) throws SQLException {
    String columns =
        IntStream.range(0, plan.columns().size())
            .mapToObj(i -> ", " + ColumnPlan.staged(i) + " text")
            .collect(Collectors.joining());
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TEMPORARY TABLE caravan_staging (line bigint" + columns + ") ON COMMIT DROP");
    }
    return new Staging(connection, plan);
  }

  /** The value of column {@code i} as its target column takes it. */
  static String value(ColumnPlan plan, int i) {
    return plan.columns().get(i).typed(ColumnPlan.staged(i));
  }

  /** That row {@code t} of the target has the key of a staged row. */
  static String sameKey(ColumnPlan plan) {
    return plan.keys().stream()
        .map(i -> "t.%s = %s".formatted(Identifier.quote(plan.names().get(i)), value(plan, i)))
        .collect(Collectors.joining(" AND "));
  }

  /** Deletes every row whose key comes again in a later line; says how many. */
  long deleteSuperseded() throws SQLException {
    String keys = plan.keys().stream().map(i -> value(plan, i)).collect(Collectors.joining(", "));
    String same =
        IntStream.range(0, plan.keys().size())
            .mapToObj(k -> "%s = d.k%d".formatted(value(plan, plan.keys().get(k)), k))
            .collect(Collectors.joining(" AND "));
    String named =
        IntStream.range(0, plan.keys().size())
            .mapToObj(k -> "%s AS k%d".formatted(value(plan, plan.keys().get(k)), k))
            .collect(Collectors.joining(", "));
    String sql =
        """
        DELETE FROM %s s
        USING (SELECT %s, max(line) AS line FROM %s GROUP BY %s HAVING count(*) > 1) d
        WHERE %s AND s.line < d.line"""
            .formatted(TABLE, named, TABLE, keys, same);
    try (Statement statement = connection.createStatement()) {
      return statement.executeLargeUpdate(sql);
    }
  }

  void delete(long line) throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement("DELETE FROM " + TABLE + " WHERE line = ?")) {
      delete.setLong(1, line);
      delete.executeUpdate();
    }
  }

  /** The row of one line as CSV, for the rejects table. */
  String raw(long line) throws SQLException {
    String sql = "SELECT * FROM " + TABLE + " WHERE line = ?";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setLong(1, line);
      try (ResultSet row = query.executeQuery()) {
        row.next();
        return csv(row, 2, plan.columns().size());
      }
    }
  }

  /** {@code count} columns of the row from {@code first} on, as CSV. */
  static String csv(ResultSet row, int first, int count) throws SQLException {
    StringBuilder csv = new StringBuilder();
    for (int i = first; i < first + count; i++) {
      String value = row.getString(i);
      csv.append(i == first ? "" : ",");
      csv.append(value == null ? "" : '"' + value.replace("\"", "\"\"") + '"');
    }
    return csv.toString();
  }
}
