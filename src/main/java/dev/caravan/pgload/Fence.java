package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;

/**
 * Among the attempts of one owner only the newest may commit. Each attempt has an epoch; the merge
 * transaction locks the owner's row in {@code caravan.fence} with its own, and gives up when a
 * newer one is there. The row stands in the database that is loaded into, so that lock and rows
 * commit together, wherever the job record is. Time plays no part in it: a node may sleep as long
 * as it likes.
 *
 * @param owner whose attempts these are: a job
 * @param epoch of this attempt, from 1
 * @param mayLoad false to find out only whether an earlier attempt has committed
 */
public record Fence(UUID owner, long epoch, boolean mayLoad) {

  /** Newer than every attempt. */
  private static final long CLOSED = Long.MAX_VALUE;

  private static final String LOCK_TIMEOUT = "55P03";
  private static final int PATIENCE = 30;

  /** What sessions of the attempt are called in {@code pg_stat_activity}. */
  String session() {
    return session(owner) + epoch;
  }

  private static String session(UUID owner) {
    return "caravan load " + owner + "#";
  }

  /**
   * Shuts out all earlier attempts and ends their sessions: one that was paused inside COPY would
   * hold its locks for good, as no timeout of the server sees it.
   *
   * @throws CaravanException SUPERSEDED or CANCELLED when this attempt is not the newest
   */
  void raise(Connection connection) throws SQLException {
    for (int i = 1; ; i++) {
      SessionSettings.apply(connection);
      endSessions(connection, owner, epoch);
      if (isRaised(connection)) {
        return; // by another load of this attempt, which may hold the row for a while
      }
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET LOCAL lock_timeout = '1s'");
        // A node that is paused right here holds the row; the next attempt finds its session.
        statement.execute("SET LOCAL application_name = '" + session() + "'");
        require(newest(connection, owner, epoch));
        connection.commit();
        return;
      } catch (SQLException e) {
        if (!LOCK_TIMEOUT.equals(e.getSQLState()) || i == PATIENCE) {
          throw e;
        }
        connection.rollback();
      }
    }
  }

  private boolean isRaised(Connection connection) throws SQLException {
    String sql = "SELECT FROM caravan.fence WHERE owner = ? AND epoch = ?";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, owner);
      query.setLong(2, epoch);
      try (ResultSet row = query.executeQuery()) {
        return row.next();
      }
    } finally {
      connection.commit();
    }
  }

  /**
   * Brings the row in, so that loads of the attempt side by side need not wait for each other; the
   * transaction is over at the end.
   */
  void enter(Connection connection) throws SQLException {
    String sql = "INSERT INTO caravan.fence (owner, epoch) VALUES (?, ?) ON CONFLICT DO NOTHING";
    try (PreparedStatement enter = connection.prepareStatement(sql)) {
      enter.setObject(1, owner);
      enter.setLong(2, epoch);
      enter.executeUpdate();
    }
    connection.commit();
  }

  /**
   * Keeps newer attempts out until the transaction ends, but not other loads of this one; as {@link
   * #raise} for what it throws.
   */
  void hold(Connection connection) throws SQLException {
    String sql = "SELECT epoch FROM caravan.fence WHERE owner = ? FOR SHARE";
    try (PreparedStatement share = connection.prepareStatement(sql)) {
      share.setObject(1, owner);
      try (ResultSet row = share.executeQuery()) {
        require(row.next() ? row.getLong(1) : 0);
      }
    }
  }

  private void require(long newest) {
    if (newest != epoch) {
      throw lost(newest);
    }
  }

  /** Throws as {@link #hold}, and locks nothing: to spare an attempt that is lost its work. */
  void check(Connection connection) throws SQLException {
    String sql = "SELECT epoch FROM caravan.fence WHERE owner = ? AND epoch > ?";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, owner);
      query.setLong(2, epoch);
      try (ResultSet row = query.executeQuery()) {
        if (row.next()) {
          throw lost(row.getLong(1));
        }
      }
    }
  }

  private CaravanException lost(long newest) {
    return newest == CLOSED
        ? new CaravanException(FailureCode.CANCELLED, "The job was cancelled.")
        : new CaravanException(
            FailureCode.SUPERSEDED,
            "Attempt %d of job %s lost its lease; attempt %d has it now."
                .formatted(epoch, owner, newest));
  }

  /**
   * Lets no attempt of the owner commit from now on, and ends their sessions.
   *
   * @param connection in a transaction of its own, which is over at the end
   * @return false when it is too late: the owner's load is committed, or is being committed
   */
  public static boolean close(Connection connection, UUID owner) throws SQLException {
    connection.setAutoCommit(false);
    SessionSettings.apply(connection);
    LoadTables.ensure(connection);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET LOCAL lock_timeout = '2s'");
      statement.execute("SET LOCAL application_name = '" + session(owner) + "0'");
      newest(connection, owner, CLOSED);
      boolean open = !LoadLedger.exists(connection, owner);
      if (open) {
        connection.commit();
        endSessions(connection, owner, CLOSED);
        connection.commit();
      }
      return open;
    } catch (SQLException e) {
      if (LOCK_TIMEOUT.equals(e.getSQLState())) {
        return false;
      }
      throw e;
    } finally {
      connection.rollback();
    }
  }

  /** Ends the sessions of this attempt, and of those before it. */
  void endSessions(Connection connection) throws SQLException {
    endSessions(connection, owner, epoch + 1);
  }

  /** Ends the sessions of attempts that are older than the epoch. */
  private static void endSessions(Connection connection, UUID owner, long epoch)
      throws SQLException {
    String sql =
        """
        SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity
        WHERE usename = current_user AND pid <> pg_backend_pid()
          AND starts_with(application_name, ?)
          AND substring(application_name FROM '#([0-9]{1,18})$')::bigint < ?""";
    try (PreparedStatement end = connection.prepareStatement(sql)) {
      end.setString(1, session(owner));
      end.setLong(2, epoch);
      end.execute();
    }
  }

  /** The newest epoch after this one was brought in; its row is locked. */
  private static long newest(Connection connection, UUID owner, long epoch) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.fence AS f (owner, epoch) VALUES (?, ?)
        ON CONFLICT (owner) DO UPDATE SET epoch = greatest(f.epoch, excluded.epoch)
        RETURNING epoch""";
    try (PreparedStatement raise = connection.prepareStatement(sql)) {
      raise.setObject(1, owner);
      raise.setLong(2, epoch);
      try (ResultSet row = raise.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }
}
