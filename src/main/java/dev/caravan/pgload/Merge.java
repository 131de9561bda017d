package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Target.Column;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Brings the staged rows into the target, which the transaction holds against other loads. */
final class Merge {

  /** Rows that the target itself refuses are looked for one by one up to this number. */
  private static final int MAX_ISOLATED = 100;

  private final Connection connection;
  private final LoadSpec spec;
  private final ColumnPlan plan;
  private final Staging staging;
  private final List<Reject> refused = new ArrayList<>();

  Merge(Connection connection, LoadSpec spec, ColumnPlan plan, Staging staging) {
    this.connection = connection;
    this.spec = spec;
    this.plan = plan;
    this.staging = staging;
  }

  /** Rows written, by what was done. */
  record Counts(long inserted, long updated, long deleted) {

    Counts plus(Counts other) {
      return new Counts(
          inserted + other.inserted, updated + other.updated, deleted + other.deleted);
    }
  }

  /** Merges everything that is staged; rows that the target refuses are in {@link #refused()}. */
  Counts run() throws SQLException {
    if (plan.keys().isEmpty()) {
      return replaceWithoutKey();
    }
    try {
      return attempt(0, Long.MAX_VALUE);
    } catch (SQLException e) {
      if (SqlFailure.isUniqueViolation(e)) {
        return mergeOrIsolate(0, Long.MAX_VALUE); // another program inserted the key meanwhile
      }
      return isolate(0, Long.MAX_VALUE, e);
    }
  }

  /** Rows that a constraint, trigger or policy of the target refused. */
  List<Reject> refused() {
    return refused;
  }

  private Counts mergeOrIsolate(long from, long to) throws SQLException {
    try {
      return attempt(from, to);
    } catch (SQLException e) {
      return isolate(from, to, e);
    }
  }

  /** Halves the lines until the row at fault is alone. */
  private Counts isolate(long from, long to, SQLException cause) throws SQLException {
    if (!SqlFailure.isRowError(cause) || spec.mode() == LoadMode.REPLACE) {
      throw cause;
    }
    long[] lines = lines(from, to);
    if (lines[0] == lines[1]) {
      refuse(lines[0], cause);
      return new Counts(0, 0, 0);
    }
    long middle = lines[0] + (lines[1] - lines[0]) / 2;
    return mergeOrIsolate(lines[0], middle).plus(mergeOrIsolate(middle + 1, lines[1]));
  }

  private void refuse(long line, SQLException cause) throws SQLException {
    if (refused.size() == MAX_ISOLATED) {
      throw new CaravanException(
          FailureCode.CONSTRAINT_VIOLATION,
          "%s refuses more than %d rows; the last: line %d: %s"
              .formatted(spec.target(), MAX_ISOLATED, line, SqlFailure.message(cause)),
          cause);
    }
    refused.add(
        new Reject(
            line, -1, null, RejectCode.CONSTRAINT, SqlFailure.message(cause), staging.raw(line)));
    staging.delete(line);
  }

  private long[] lines(long from, long to) throws SQLException {
    String sql =
        "SELECT min(line), max(line) FROM " + Staging.TABLE + " WHERE line BETWEEN ? AND ?";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setLong(1, from);
      query.setLong(2, to);
      try (ResultSet row = query.executeQuery()) {
        row.next();
        return new long[] {row.getLong(1), row.getLong(2)};
      }
    }
  }

  private Counts attempt(long from, long to) throws SQLException {
    Savepoint before = connection.setSavepoint();
    try (Statement statement = connection.createStatement();
        ResultSet counts = statement.executeQuery(sql(spec, plan, range(from, to)))) {
      counts.next();
      Counts result = new Counts(counts.getLong(1), counts.getLong(2), counts.getLong(3));
      connection.releaseSavepoint(before);
      return result;
    } catch (SQLException e) {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
      throw e;
    }
  }

  private static String range(long from, long to) {
    return from == 0 && to == Long.MAX_VALUE ? "" : " WHERE line BETWEEN " + from + " AND " + to;
  }

  /** The statement as text; {@code range} limits the staged rows. */
  static String sql(LoadSpec spec, ColumnPlan plan, String range) {
    List<String> names = plan.names();
    String source =
        IntStream.range(0, names.size())
            .mapToObj(i -> Staging.value(plan, i) + " AS " + Identifier.quote(names.get(i)))
            .collect(Collectors.joining(", "));
    String on =
        plan.keyNames().stream()
            .map(key -> "t.%1$s = s.%1$s".formatted(Identifier.quote(key)))
            .collect(Collectors.joining(" AND "));
    return """
        WITH merged AS (
          MERGE INTO %s AS t
          USING (SELECT %s FROM %s%s) AS s
          ON %s
          %s
          WHEN NOT MATCHED THEN INSERT (%s) VALUES (%s)
          %s
          RETURNING merge_action() AS action)
        SELECT count(*) FILTER (WHERE action = 'INSERT'), count(*) FILTER (WHERE action = 'UPDATE'),
               count(*) FILTER (WHERE action = 'DELETE')
        FROM merged"""
        .formatted(
            spec.target().sql(),
            source,
            Staging.TABLE,
            range,
            on,
            update(plan),
            Identifier.list(names),
            prefixed("s.", names),
            spec.mode() == LoadMode.REPLACE ? "WHEN NOT MATCHED BY SOURCE THEN DELETE" : "");
  }

  private static String update(ColumnPlan plan) {
    List<Column> values =
        plan.columns().stream().filter(c -> !plan.keyNames().contains(c.name())).toList();
    if (values.isEmpty()) {
      return "";
    }
    return "WHEN MATCHED AND ROW(%s) IS DISTINCT FROM ROW(%s) THEN UPDATE SET %s"
        .formatted(
            compared("t.", values),
            compared("s.", values),
            values.stream()
                .map(c -> "%1$s = s.%1$s".formatted(Identifier.quote(c.name())))
                .collect(Collectors.joining(", ")));
  }

  private static String compared(String prefix, List<Column> columns) {
    return columns.stream()
        .map(c -> prefix + Identifier.quote(c.name()) + (c.comparable() ? "" : "::text"))
        .collect(Collectors.joining(", "));
  }

  private static String prefixed(String prefix, List<String> names) {
    return names.stream()
        .map(name -> prefix + Identifier.quote(name))
        .collect(Collectors.joining(", "));
  }

  private Counts replaceWithoutKey() throws SQLException {
    String target = spec.target().sql();
    String values =
        IntStream.range(0, plan.columns().size())
            .mapToObj(i -> Staging.value(plan, i))
            .collect(Collectors.joining(", "));
    try (Statement statement = connection.createStatement()) {
      long deleted = statement.executeLargeUpdate("DELETE FROM " + target);
      long inserted =
          statement.executeLargeUpdate(
              "INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY line"
                  .formatted(target, Identifier.list(plan.names()), values, Staging.TABLE));
      return new Counts(inserted, 0, deleted);
    }
  }
}
