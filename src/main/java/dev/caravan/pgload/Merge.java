package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
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
import java.util.Optional;

/** Brings the staged rows into the target, which the transaction holds against other loads. */
final class Merge {

  /** Rows that the target itself refuses are looked for one by one up to this number. */
  private static final int MAX_ISOLATED = 100;

  private final Connection connection;
  private final LoadSpec spec;
  private final ColumnPlan plan;
  private final Staging staging;
  private final MergeSql sql;
  private final List<Reject> refused = new ArrayList<>();
  private boolean empty;

  Merge(Connection connection, LoadSpec spec, ColumnPlan plan, Staging staging)
      throws SQLException {
    this.connection = connection;
    this.spec = spec;
    this.plan = plan;
    this.staging = staging;
    this.sql = new MergeSql(spec, plan, staging.table(), now(connection));
  }

  /** The server's clock, not the start of the transaction, which may have waited for others. */
  private static String now(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT clock_timestamp()::text")) {
      row.next();
      return Identifier.literal(row.getString(1)) + "::timestamptz";
    }
  }

  /** Rows by what was done; filtered are staged rows that the mode leaves out. */
  record Counts(long inserted, long updated, long deleted, long filtered) {

    static final Counts NONE = new Counts(0, 0, 0, 0);

    Counts plus(Counts other) {
      return new Counts(
          inserted + other.inserted,
          updated + other.updated,
          deleted + other.deleted,
          filtered + other.filtered);
    }

    Counts plusFiltered(long more) {
      return new Counts(inserted, updated, deleted, filtered + more);
    }

    Counts plusDeleted(long more) {
      return new Counts(inserted, updated, deleted + more, filtered);
    }
  }

  /**
   * Merges everything that is staged; rows that the target refuses are in {@link #refused()}.
   *
   * @param complete whether every record of the source is staged, so that other rows are missing
   */
  Counts run(boolean complete) throws SQLException {
    Optional<String> replaced = sql.deleteReplaced();
    long deleted = replaced.isPresent() ? update(replaced.get()) : 0;
    empty = mergesByKey() && isEmpty();
    Counts counts;
    try {
      counts = attempt(0, Long.MAX_VALUE);
    } catch (SQLException e) {
      empty = false;
      counts =
          SqlFailure.isUniqueViolation(e) && !plan.keys().isEmpty()
              ? mergeOrIsolate(0, Long.MAX_VALUE) // another program inserted the key meanwhile
              : isolate(0, Long.MAX_VALUE, e);
    }
    if (spec.onMissing() == OnMissing.SOFT_DELETE && complete && refused.isEmpty()) {
      deleted += update(sql.markMissing());
    }
    return counts.plusDeleted(deleted);
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
    if (!SqlFailure.isRowError(cause) || deletesWhileMerging()) {
      throw cause;
    }
    long[] lines = lines(from, to);
    if (lines[0] == lines[1]) {
      refuse(lines[0], cause);
      return Counts.NONE;
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
    String query =
        "SELECT min(line), max(line) FROM " + staging.table() + " WHERE line BETWEEN ? AND ?";
    try (PreparedStatement lines = connection.prepareStatement(query)) {
      lines.setLong(1, from);
      lines.setLong(2, to);
      try (ResultSet row = lines.executeQuery()) {
        row.next();
        return new long[] {row.getLong(1), row.getLong(2)};
      }
    }
  }

  private Counts attempt(long from, long to) throws SQLException {
    Savepoint before = connection.setSavepoint();
    try {
      if (spec.mode() == LoadMode.SCD2) {
        update(sql.closeChanged(range(from, to)));
      }
      Counts result = counts(sql.merge(range(from, to), empty));
      connection.releaseSavepoint(before);
      return result;
    } catch (SQLException e) {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
      throw e;
    }
  }

  /** Only where there is something to merge with it matters whether the target has rows. */
  private boolean mergesByKey() {
    return !plan.keys().isEmpty() && spec.mode() != LoadMode.SCD2;
  }

  private boolean isEmpty() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql.isEmpty())) {
      row.next();
      return row.getBoolean(1);
    }
  }

  private Counts counts(String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet counts = statement.executeQuery(query)) {
      counts.next();
      return new Counts(counts.getLong(1), counts.getLong(2), counts.getLong(3), counts.getLong(4));
    }
  }

  private long update(String change) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.executeLargeUpdate(change);
    }
  }

  /** One statement merges and deletes: its rows cannot be taken in parts. */
  private boolean deletesWhileMerging() {
    return spec.mode() == LoadMode.REPLACE && !plan.keys().isEmpty();
  }

  private static String range(long from, long to) {
    return from == 0 && to == Long.MAX_VALUE ? "" : " WHERE line BETWEEN " + from + " AND " + to;
  }
}
