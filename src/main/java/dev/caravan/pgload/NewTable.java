package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A target that this load creates: every column text, or jsonb. The key is added when the rows are
 * there, because one sort is cheaper than an index kept up row by row.
 */
final class NewTable {

  private final Connection connection;
  private final LoadSpec spec;
  private final TableName name;
  private final ColumnPlan plan;

  private NewTable(Connection connection, LoadSpec spec, ColumnPlan plan) {
    this.connection = connection;
    this.spec = spec;
    this.name = spec.target();
    this.plan = plan;
  }

  static NewTable create(Connection connection, LoadSpec spec, ColumnPlan plan)
      throws SQLException {
    TableName name = spec.target();
    String columns =
        Stream.concat(
                plan.columns().stream()
                    .map(column -> Identifier.quote(column.name()) + " " + column.type()),
                spec.controlColumns().stream().map(ControlColumn::definition))
            .collect(Collectors.joining(", "));
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA IF NOT EXISTS " + Identifier.quote(name.schema()));
      statement.execute("CREATE TABLE %s (%s)".formatted(name.sql(), columns));
    }
    return new NewTable(connection, spec, plan);
  }

  /**
   * Makes the key columns the primary key; of rows with the same key the last one stays.
   *
   * @param unique whether the keys are known to be different
   * @return how many rows were superseded
   */
  long addKey(boolean unique) throws SQLException {
    if (plan.keys().isEmpty()) {
      return 0;
    }
    if (unique) {
      addPrimaryKey();
      return 0;
    }
    Savepoint before = connection.setSavepoint();
    try {
      addPrimaryKey();
      connection.releaseSavepoint(before);
      return 0;
    } catch (SQLException e) {
      if (!SqlFailure.isUniqueViolation(e)) {
        throw e;
      }
      connection.rollback(before);
    }
    long superseded = deleteSuperseded();
    addPrimaryKey();
    return superseded;
  }

  private void addPrimaryKey() throws SQLException {
    boolean history = spec.mode() == LoadMode.SCD2;
    String key = Identifier.list(plan.keyNames());
    String versions = history ? ", " + ControlColumn.VALID_FROM.sql() : "";
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "ALTER TABLE %s ADD PRIMARY KEY (%s%s)".formatted(name.sql(), key, versions));
      if (history) {
        statement.execute(
            "CREATE UNIQUE INDEX ON %s (%s) WHERE %s"
                .formatted(name.sql(), key, ControlColumn.CURRENT.sql()));
      }
    }
  }

  /**
   * One COPY into a table created in its transaction fills page after page and never goes back for
   * free space (TABLE_INSERT_SKIP_FSM), so the place of a row tells its line's order.
   */
  private long deleteSuperseded() throws SQLException {
    String same =
        plan.keyNames().stream()
            .map(key -> "t.%1$s = d.%1$s".formatted(Identifier.quote(key)))
            .collect(Collectors.joining(" AND "));
    String keys = Identifier.list(plan.keyNames());
    try (Statement statement = connection.createStatement()) {
      return statement.executeLargeUpdate(
          """
          DELETE FROM %s t
          USING (SELECT %s, max(ctid) AS last FROM %s GROUP BY %s HAVING count(*) > 1) d
          WHERE %s AND t.ctid < d.last"""
              .formatted(name.sql(), keys, name.sql(), keys, same));
    }
  }
}
