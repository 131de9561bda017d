package dev.caravan.pgload;

import dev.caravan.pgload.Merge.Counts;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;

/**
 * Brings in the rows that the target takes when it does not take all of them at once. Rows that
 * break a constraint which can be asked as a query are set apart, set by set; the others are merged
 * together, in halves where that fails, down to some that the server tries row by row. At last
 * those that were set apart have their turn, and those that were refused another one as long as
 * that brings in more: what a row refers to may have come after it.
 *
 * <p>Whether a row is refused is for the target alone to say. To be set apart only means to be
 * tried later and alone.
 */
final class Isolation {

  /** Of rows that are tried one by one rather than in halves. */
  private static final int FEW_ROWS = 256;

  /** Of rows that are tried one by one in a single statement. */
  private static final int MANY_ROWS = 10_000;

  private static final int FETCH_ROWS = 1_000;

  private static final String TRIAL = "pg_temp.caravan_trial";
  private static final int ORDINARY = 0;
  private static final int SUSPECT = 1;
  private static final int AGAIN = 2;

  /** Merges the staged rows that a WHERE clause names, all or none. */
  interface Attempt {
    Counts on(String rows) throws SQLException;
  }

  private final Connection connection;
  private final Staging staging;
  private final MergeSql sql;
  private final Attempt attempt;

  Isolation(Connection connection, Staging staging, MergeSql sql, Attempt attempt) {
    this.connection = connection;
    this.staging = staging;
    this.sql = sql;
    this.attempt = attempt;
  }

  /** Merges what the target takes and refuses the rest, which is then no longer staged. */
  Counts run(Suspects suspects, RejectLog rejects) throws SQLException {
    staging.indexLines();
    execute(
        """
        CREATE TEMPORARY TABLE caravan_trial (line bigint NOT NULL, turn integer NOT NULL DEFAULT 0,
          state text, message text, detail text, context text) ON COMMIT DROP""");
    execute("INSERT INTO %s (line) SELECT line FROM %s".formatted(TRIAL, staging.table()));
    execute("CREATE INDEX ON %s (turn, line)".formatted(TRIAL));
    execute("ANALYZE " + TRIAL);
    execute(eachRow());
    String marked = "SELECT line FROM %s WHERE turn = %d".formatted(TRIAL, SUSPECT);
    for (String lines : suspects.queries(connection, marked)) {
      setApart(lines);
    }
    Counts counts = bring(ORDINARY).plus(bring(SUSPECT));
    long before = 0;
    int turn = AGAIN;
    for (long after = refused(); after > 0 && after != before; after = refused()) {
      before = after;
      // First those that miss another row: all together they may be complete.
      execute(again(turn) + " AND state = '23503'");
      counts = counts.plus(bring(turn++));
      execute(again(turn));
      counts = counts.plus(bring(turn++));
    }
    refuse(rejects);
    execute("DROP FUNCTION pg_temp.caravan_each(integer, bigint, bigint)");
    return counts;
  }

  /**
   * A constraint that cannot be asked, for want of a right or of a value, is left to the halves.
   */
  private void setApart(String lines) throws SQLException {
    Savepoint before = connection.setSavepoint();
    try {
      execute(
          "UPDATE %s SET turn = %d WHERE turn = %d AND line IN (%s)"
              .formatted(TRIAL, SUSPECT, ORDINARY, lines));
      connection.releaseSavepoint(before);
    } catch (SQLException e) {
      if (!SqlFailure.isOfStatement(e)) {
        throw e;
      }
      connection.rollback(before);
    }
  }

  private static String again(int turn) {
    return "UPDATE %s SET turn = %d WHERE state IS NOT NULL".formatted(TRIAL, turn);
  }

  private long refused() throws SQLException {
    return number("SELECT count(*) FROM %s WHERE state IS NOT NULL".formatted(TRIAL));
  }

  private Counts bring(int turn) throws SQLException {
    return bring(turn, 0, Long.MAX_VALUE);
  }

  private Counts bring(int turn, long from, long to) throws SQLException {
    String rows =
        "FROM %s WHERE turn = %d AND line BETWEEN %d AND %d".formatted(TRIAL, turn, from, to);
    long count = number("SELECT count(*) " + rows);
    if (count == 0) {
      return Counts.NONE;
    }
    if (count <= (turn == SUSPECT ? MANY_ROWS : FEW_ROWS)) {
      return each(turn, from, to);
    }
    if (turn != SUSPECT) {
      try {
        Counts counts = attempt.on(" WHERE line IN (SELECT line " + rows + ")");
        execute(
            "UPDATE %s SET state = NULL WHERE turn = %d AND line BETWEEN %d AND %d AND state IS NOT NULL"
                .formatted(TRIAL, turn, from, to));
        return counts;
      } catch (SQLException e) {
        if (!SqlFailure.isRowError(e)) {
          throw e;
        }
      }
    }
    long middle =
        number("SELECT line %s ORDER BY line OFFSET %d LIMIT 1".formatted(rows, count / 2));
    return bring(turn, from, middle - 1).plus(bring(turn, middle, to));
  }

  private Counts each(int turn, long from, long to) throws SQLException {
    String call = "SELECT * FROM pg_temp.caravan_each(?, ?, ?)";
    Counts counts;
    try (PreparedStatement each = connection.prepareStatement(call)) {
      each.setInt(1, turn);
      each.setLong(2, from);
      each.setLong(3, to);
      try (ResultSet row = each.executeQuery()) {
        row.next();
        counts = Counts.of(row, row.getLong("settled"));
      }
    }
    checkRefused(turn, from, to);
    return counts;
  }

  /** An error that is no row's fault, such as a full disk, ends the load. */
  private void checkRefused(int turn, long from, long to) throws SQLException {
    String query =
        """
        SELECT DISTINCT ON (state) state, message, context FROM %s
        WHERE turn = ? AND line BETWEEN ? AND ? AND state IS NOT NULL"""
            .formatted(TRIAL);
    try (PreparedStatement states = connection.prepareStatement(query)) {
      states.setInt(1, turn);
      states.setLong(2, from);
      states.setLong(3, to);
      try (ResultSet row = states.executeQuery()) {
        while (row.next()) {
          if (!SqlFailure.isRowError(row.getString(1), row.getString(2), row.getString(3))) {
            throw new SQLException(row.getString(2), row.getString(1));
          }
        }
      }
    }
  }

  /**
   * The function that tries rows one by one, each in a subtransaction of its own. Its plans are
   * made once, maybe for a target that is still empty, and are to go by the key all the same.
   */
  private String eachRow() {
    String row = " WHERE line = caravan_line";
    String body =
        """
        #variable_conflict use_column
        DECLARE
          caravan_line bigint;
          caravan_settled bigint;
          caravan_done record;
          caravan_state text;
          caravan_message text;
          caravan_detail text;
          caravan_context text;
        BEGIN
          inserted := 0; updated := 0; deleted := 0; settled := 0;
          FOR caravan_line IN
            SELECT r.line FROM %1$s r
            WHERE r.turn = caravan_turn AND r.line BETWEEN caravan_from AND caravan_to ORDER BY r.line
          LOOP
            BEGIN
              SET CONSTRAINTS ALL DEFERRED;
              caravan_settled := (%2$s);
              %3$s
              FOR caravan_done IN %4$s LOOP
                SET CONSTRAINTS ALL IMMEDIATE;
                inserted := inserted + caravan_done.inserted;
                updated := updated + caravan_done.updated;
                deleted := deleted + caravan_done.deleted;
                settled := settled + caravan_settled;
              END LOOP;
              UPDATE %1$s r SET state = NULL
              WHERE r.turn = caravan_turn AND r.line = caravan_line AND r.state IS NOT NULL;
            EXCEPTION WHEN OTHERS THEN
              GET STACKED DIAGNOSTICS caravan_state = RETURNED_SQLSTATE,
                caravan_message = MESSAGE_TEXT, caravan_detail = PG_EXCEPTION_DETAIL,
                caravan_context = PG_EXCEPTION_CONTEXT;
              UPDATE %1$s r SET state = caravan_state, message = caravan_message,
                detail = caravan_detail, context = caravan_context
              WHERE r.turn = caravan_turn AND r.line = caravan_line;
            END;
          END LOOP;
        END"""
            .formatted(
                TRIAL,
                sql.settled(row, false),
                sql.closeChanged(row).map(close -> close + ";").orElse(""),
                sql.merge(row, false));
    return """
        CREATE FUNCTION pg_temp.caravan_each(caravan_turn integer, caravan_from bigint, caravan_to bigint,
          OUT inserted bigint, OUT updated bigint, OUT deleted bigint, OUT settled bigint)
        LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
        AS %s"""
        .formatted(Identifier.literal(body));
  }

  private void refuse(RejectLog rejects) throws SQLException {
    String query =
        """
        SELECT r.state, r.message, r.detail, s.* FROM %s r JOIN %s s USING (line)
        WHERE r.state IS NOT NULL ORDER BY r.line"""
            .formatted(TRIAL, staging.table());
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(FETCH_ROWS);
      try (ResultSet row = statement.executeQuery(query)) {
        while (row.next()) {
          if (rejects.add(reject(row))) {
            rejects.write(connection);
          }
        }
      }
    }
    execute(
        "DELETE FROM %s WHERE line IN (SELECT line FROM %s WHERE state IS NOT NULL)"
            .formatted(staging.table(), TRIAL));
  }

  private Reject reject(ResultSet row) throws SQLException {
    String state = row.getString(1);
    return new Reject(
        row.getLong(4),
        -1,
        null,
        SqlFailure.isTooLarge(state) ? RejectCode.TOO_LONG : RejectCode.CONSTRAINT,
        SqlFailure.message(row.getString(2), row.getString(3), state),
        staging.raw(row, 5));
  }

  private void execute(String change) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(change);
    }
  }

  private long number(String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      return row.next() ? row.getLong(1) : 0;
    }
  }
}
