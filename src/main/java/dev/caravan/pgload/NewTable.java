package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
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
    try (Statement statement = connection.createStatement()) {
      boolean schemaExists = lockSchema(statement, spec.target().schema());
      for (String sql : creation(spec, plan).subList(schemaExists ? 1 : 0, 2)) {
        statement.execute(sql);
      }
    }
    return new NewTable(connection, spec, plan);
  }

  /**
   * Waits for another load that is about to create the schema, for CREATE SCHEMA IF NOT EXISTS does
   * not. Only a query sees at once what the other has done; the server's caches do not.
   *
   * @return whether the schema is there
   */
  private static boolean lockSchema(Statement statement, String schema) throws SQLException {
    String exists =
        "EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)"
            .formatted(Identifier.literal(schema));
    statement.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)) WHERE NOT %s"
            .formatted(Identifier.literal("caravan.schema." + schema), exists));
    try (ResultSet row = statement.executeQuery("SELECT " + exists)) {
      row.next();
      return row.getBoolean(1);
    }
  }

  /** What creates the table, without its key. */
  static List<String> creation(LoadSpec spec, ColumnPlan plan) {
    TableName name = spec.target();
    String columns =
        Stream.concat(
                plan.columns().stream().map(ColumnType::definition),
                spec.controlColumns().stream().map(ControlColumn::definition))
            .collect(Collectors.joining(", "));
    return List.of(
        "CREATE SCHEMA IF NOT EXISTS " + Identifier.quote(name.schema()),
        "CREATE TABLE %s (%s)".formatted(name.sql(), columns));
  }

  /** What adds the key; nothing without key columns. */
  static List<String> key(LoadSpec spec, ColumnPlan plan) {
    if (plan.keys().isEmpty()) {
      return List.of();
    }
    boolean history = spec.mode() == LoadMode.SCD2;
    String key = Identifier.list(plan.keyNames());
    String versions = history ? ", " + ControlColumn.VALID_FROM.sql() : "";
    List<String> sql = new ArrayList<>();
    sql.add("ALTER TABLE %s ADD PRIMARY KEY (%s%s)".formatted(spec.target().sql(), key, versions));
    if (history) {
      sql.add(
          "CREATE UNIQUE INDEX ON %s (%s) WHERE %s"
              .formatted(spec.target().sql(), key, ControlColumn.CURRENT.sql()));
    }
    return sql;
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
    try (Statement statement = connection.createStatement()) {
      for (String sql : key(spec, plan)) {
        statement.execute(sql);
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
