package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Optional;

/** Brings the staged rows into the target, which the transaction holds against other loads. */
final class Merge {

  private final Connection connection;
  private final LoadSpec spec;
  private final ColumnPlan plan;
  private final Staging staging;
  private final MergeSql sql;

  /** Whether the target may do with a row something else than it was told, without an error. */
  private final boolean watched;

  Merge(Connection connection, LoadSpec spec, ColumnPlan plan, Staging staging, boolean watched)
      throws SQLException {
    this.connection = connection;
    this.spec = spec;
    this.plan = plan;
    this.staging = staging;
    this.watched = watched;
    this.sql = new MergeSql(spec, plan, staging.table(), now(connection), watched);
  }

  /** The server's clock, not the start of the transaction, which may have waited for others. */
  private static String now(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT clock_timestamp()::text")) {
      row.next();
      return Identifier.literal(row.getString(1)) + "::timestamptz";
    }
  }

  /**
   * Rows by what was done.
   *
   * @param settled rows that need not be written, as the target has them
   */
  record Counts(long inserted, long updated, long deleted, long settled) {

    static final Counts NONE = new Counts(0, 0, 0, 0);

    /** Of the statements of {@link MergeSql}. */
    static Counts of(ResultSet row, long settled) throws SQLException {
      return new Counts(
          row.getLong("inserted"), row.getLong("updated"), row.getLong("deleted"), settled);
    }

    Counts plus(Counts other) {
      return new Counts(
          inserted + other.inserted,
          updated + other.updated,
          deleted + other.deleted,
          settled + other.settled);
    }

    Counts plusDeleted(long more) {
      return new Counts(inserted, updated, deleted + more, settled);
    }

    private Counts withSettled(long other) {
      return new Counts(inserted, updated, deleted, other);
    }
  }

  /**
   * Merges everything that is staged; rows that the target refuses are added to the rejects.
   *
   * @param rows how many are staged
   * @param complete whether every record of the source is staged, so that other rows are missing
   */
  Counts run(long rows, boolean complete, RejectLog rejects) throws SQLException {
    long refusedBefore = rejects.count();
    Optional<String> replaced = sql.deleteReplaced();
    long deleted = replaced.isPresent() ? update(replaced.get()) : 0;
    Counts counts;
    try {
      counts = attempt("", mergesByKey() && isEmpty());
    } catch (SQLException e) {
      counts = again(e, rejects);
    }
    long refused = rejects.count() - refusedBefore;
    if (spec.onMissing() == OnMissing.SOFT_DELETE && complete && refused == 0) {
      deleted += update(sql.markMissing());
    }
    long others = rows - refused - counts.inserted() - counts.updated();
    return counts
        .plusDeleted(deleted)
        .withSettled(watched ? Math.min(counts.settled(), others) : others);
  }

  /**
   * After the run: how many rows that are staged have none in the target; asked with a key only.
   */
  long absent() throws SQLException {
    if (plan.keys().isEmpty()) {
      return 0;
    }
    try (Statement statement = connection.createStatement()) {
      return number(statement, sql.absent());
    }
  }

  private Counts again(SQLException cause, RejectLog rejects) throws SQLException {
    SQLException refusal = cause;
    if (SqlFailure.isUniqueViolation(cause) && !plan.keys().isEmpty()) {
      try {
        return attempt("", false); // another program inserted the key meanwhile
      } catch (SQLException e) {
        refusal = e;
      }
    }
    if (!SqlFailure.isRowError(refusal)) {
      throw refusal;
    }
    // What is not staged goes first, as it would have gone with the others.
    Optional<String> surplus = sql.deleteSurplus();
    long deleted = 0;
    if (surplus.isPresent()) {
      deleted += update(surplus.get());
      ask(); // what refuses that is no row's fault
    }
    Isolation isolation = new Isolation(connection, staging, sql, rows -> attempt(rows, false));
    Counts counts = isolation.run(new Suspects(spec, plan, staging), rejects);
    deleted += surplus.isPresent() ? update(surplus.get()) : 0; // what was refused, too
    return counts.plusDeleted(deleted);
  }

  /** Merges all or none; constraints that wait for the commit are asked now. */
  private Counts attempt(String rows, boolean empty) throws SQLException {
    Savepoint before = connection.setSavepoint();
    try (Statement statement = connection.createStatement()) {
      if (!rows.isEmpty()) {
        statement.execute("SET CONSTRAINTS ALL DEFERRED"); // a part before this one asked them
      }
      long settled = watched ? number(statement, sql.settled(rows, empty)) : 0;
      Optional<String> close = sql.closeChanged(rows);
      if (close.isPresent()) {
        statement.execute(close.get());
      }
      Counts counts;
      try (ResultSet row = statement.executeQuery(sql.merge(rows, empty))) {
        row.next();
        counts = Counts.of(row, settled);
      }
      ask();
      connection.releaseSavepoint(before);
      return counts;
    } catch (SQLException e) {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
      throw e;
    }
  }

  private void ask() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET CONSTRAINTS ALL IMMEDIATE");
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

  private static long number(Statement statement, String expression) throws SQLException {
    try (ResultSet row = statement.executeQuery("SELECT " + expression)) {
      row.next();
      return row.getLong(1);
    }
  }

  private long update(String change) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.executeLargeUpdate(change);
    }
  }
}
