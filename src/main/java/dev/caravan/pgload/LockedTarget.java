package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Target.Column;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;

/**
 * The target as it is from here to the end of the transaction: nobody changes its columns or
 * triggers any more.
 *
 * @param skippers the triggers, and "row-level security", that can leave a row out without an error
 * @param movers the triggers that can take a row away after it was written
 */
record LockedTarget(List<String> skippers, List<String> movers) {

  /** A table that the load has just created. */
  static final LockedTarget NEW = new LockedTarget(List.of(), List.of());

  /**
   * Locks a target that is there as a merge does, which hinders nobody who reads or writes rows.
   *
   * @param plan made before the lock
   * @throws CaravanException SCHEMA_DRIFT when a column of the plan is no longer as it was
   */
  static LockedTarget of(Connection connection, LoadSpec spec, ColumnPlan plan)
      throws SQLException {
    String name = Identifier.literal(spec.target().sql());
    try (Statement statement = connection.createStatement()) {
      if (isTrue(statement, "SELECT has_table_privilege(to_regclass(" + name + "), 'INSERT')")) {
        statement.execute("LOCK TABLE " + spec.target().sql() + " IN ROW EXCLUSIVE MODE");
      }
      Optional<Target> now = Target.find(connection, spec.target());
      for (Column column : plan.columns()) {
        boolean added = plan.added().stream().anyMatch(a -> a.column().equals(column.name()));
        Column found = now.map(target -> target.columns().get(column.name())).orElse(null);
        if (!added && (found == null || !found.type().equals(column.type()))) {
          throw new CaravanException(
              FailureCode.SCHEMA_DRIFT,
              "Cannot load into %s: column '%s' was %s when the load began and is %s now."
                  .formatted(
                      spec.target(),
                      column.name(),
                      column.type(),
                      found == null ? "not there" : found.type()));
        }
      }
      return withTriggers(statement, name);
    }
  }

  /** Of the table and its partitions, where rows may end up, and of tables that inherit from it. */
  private static LockedTarget withTriggers(Statement statement, String name) throws SQLException {
    String sql =
        """
        WITH RECURSIVE tree(oid) AS (
          SELECT %1$s::regclass::oid
          UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid),
        writing AS (
          SELECT t.tgname::text AS name, t.tgtype AS type
          FROM pg_trigger t JOIN tree ON t.tgrelid = tree.oid
          WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 20 <> 0) -- INSERT or UPDATE
        SELECT ARRAY(
            SELECT DISTINCT name FROM writing WHERE type & 3 = 3 -- BEFORE, ROW
            UNION ALL SELECT 'row-level security' WHERE row_security_active(%1$s::regclass)),
          ARRAY(SELECT DISTINCT name FROM writing WHERE type & 66 = 0) -- AFTER"""
            .formatted(name);
    try (ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return new LockedTarget(
          List.of((String[]) row.getArray(1).getArray()),
          List.of((String[]) row.getArray(2).getArray()));
    }
  }

  private static boolean isTrue(Statement statement, String query) throws SQLException {
    try (ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getBoolean(1);
    }
  }

  /** Whether a row that was neither inserted nor updated need not be there as it was read. */
  boolean maySkip() {
    return !skippers.isEmpty();
  }

  /** Whether a row that was written need not be there any more. */
  boolean mayMove() {
    return !movers.isEmpty();
  }

  /** For people, with the code in front. */
  String movedWarning(long rows, TableName target) {
    return "TRIGGER_MOVED: %d %s written to %s and taken away again by its trigger (%s); counted as written"
        .formatted(rows, rows == 1 ? "row was" : "rows were", target, String.join(", ", movers));
  }

  /** For people, with the code in front. */
  String warning(long rows, TableName target) {
    return "TRIGGER_SKIPPED: %d %s not taken by %s, which has %s; counted as filtered"
        .formatted(rows, rows == 1 ? "row was" : "rows were", target, String.join(", ", skippers));
  }
}
