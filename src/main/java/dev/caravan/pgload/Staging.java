package dev.caravan.pgload;

import dev.caravan.pgload.Target.Column;
import dev.caravan.record.RecordStream;
import dev.caravan.record.Reject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The staging table of one load: the line, then one text column per field. It is temporary, so it
 * belongs to the transaction and is gone with it, whatever happens.
 */
final class Staging {

  /** The session's own table; with a second stream only a part of what is staged. */
  static final String OWN = "pg_temp.caravan_staging";

  private final Connection connection;
  private final ColumnPlan plan;
  private final RecordStream source;
  private String table = OWN;

  private Staging(Connection connection, ColumnPlan plan, RecordStream source) {
    this.connection = connection;
    this.plan = plan;
    this.source = source;
  }

  /** Everything that is staged, for SQL. */
  String table() {
    return table;
  }

  /** Takes the rows of the second stream in. */
  void join(String attempt) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      table = SecondStream.join(statement, attempt);
    }
  }

  /** The columns as CREATE TABLE takes them. */
  static String columns(ColumnPlan plan) {
    return IntStream.range(0, plan.columns().size())
        .mapToObj(i -> ", " + ColumnPlan.staged(i) + " text")
        .collect(Collectors.joining("", "(line bigint", ")"));
  }

  /** For the records of the source. */
  static Staging create(Connection connection, ColumnPlan plan, RecordStream source)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TEMPORARY TABLE caravan_staging %s ON COMMIT DROP".formatted(columns(plan)));
    }
    return new Staging(connection, plan, source);
  }

  /** The value of column {@code i} as its target column takes it. */
  static String value(ColumnPlan plan, int i) {
    Column column = plan.columns().get(i);
    String staged = ColumnPlan.staged(i);
    return column.typed(
        plan.isAsWritten(i) ? staged : column.values().canonical(plan.formats(), staged));
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
            .formatted(table, named, table, keys, same);
    try (Statement statement = connection.createStatement()) {
      return statement.executeLargeUpdate(sql);
    }
  }

  /** Lets rows be found by their line. */
  void indexLines() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String part : table.equals(OWN) ? List.of(OWN) : List.of(OWN, table)) {
        statement.execute("CREATE INDEX ON %s (line)".formatted(part));
        statement.execute("ANALYZE %s (line)".formatted(part));
      }
    }
  }

  /**
   * A staged row as its source would have it; fields that no column takes are empty.
   *
   * @param first where the columns of the staging table begin
   */
  String raw(ResultSet row, int first) throws SQLException {
    String[] values = new String[source.columns().size()];
    for (int i = 0; i < plan.columns().size(); i++) {
      values[plan.fields().get(i)] = row.getString(first + i);
    }
    return Reject.csv(Arrays.asList(values), source.delimiter());
  }
}
