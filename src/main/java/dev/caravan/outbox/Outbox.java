package dev.caravan.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** The effects that are to happen or have happened, and what came of each attempt. */
public final class Outbox {

  /** Name of the task of db-scheduler; its instances are the ids of entries. */
  static final String TASK = "outbox";

  private final DataSource dataSource;

  /** The database of the job tables. */
  public Outbox(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** What came of the wish to have an entry carried out once more. */
  public enum Redelivery {
    SCHEDULED,
    /** An attempt is being made right now. */
    RUNNING,
    UNKNOWN
  }

  /** Adds an effect that happens at once. */
  public static UUID add(Connection connection, UUID jobId, String kind, String payload)
      throws SQLException {
    return add(connection, jobId, kind, payload, Duration.ZERO);
  }

  /**
   * Adds an effect, which happens when the caller's transaction is committed and not otherwise.
   *
   * @param connection in the transaction that ends the job
   * @param kind decides who carries it out
   * @param payload JSON, without secrets
   * @param delay how long after now
   * @return the entry's id
   */
  public static UUID add(
      Connection connection, UUID jobId, String kind, String payload, Duration delay)
      throws SQLException {
    String sql =
        """
        WITH entry AS (
          INSERT INTO caravan.outbox (id, job_id, kind, payload) VALUES (?, ?, ?, ?::jsonb)
          RETURNING id)
        INSERT INTO caravan.scheduled_tasks
          (task_name, task_instance, execution_time, picked, version, priority)
        SELECT ?, id::text, clock_timestamp() + ? * interval '1 ms', false, 1, 0 FROM entry""";
    UUID id = UUID.randomUUID();
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, id);
      insert.setObject(2, jobId);
      insert.setString(3, kind);
      insert.setString(4, payload);
      insert.setString(5, TASK);
      insert.setLong(6, delay.toMillis());
      insert.executeUpdate();
    }
    return id;
  }

  /**
   * Effects of one kind.
   *
   * @param pending that are still to happen
   * @param givenUp that failed until their schedule was over
   * @param oldestSeconds age of the oldest pending one
   */
  public record Backlog(long pending, long givenUp, double oldestSeconds) {
    /** Nothing is to happen. */
    public static final Backlog NONE = new Backlog(0, 0, 0);
  }

  /** What did not happen yet, by kind; kinds without any are left out. */
  public Map<String, Backlog> backlog() throws SQLException {
    String sql =
        """
        SELECT kind, count(*) FILTER (WHERE state = 'pending'),
          count(*) FILTER (WHERE state = 'given_up'),
          extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE state = 'pending'))
        FROM caravan.outbox WHERE state <> 'done' GROUP BY kind""";
    Map<String, Backlog> kinds = new HashMap<>();
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setQueryTimeout(2);
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          kinds.put(
              row.getString(1), new Backlog(row.getLong(2), row.getLong(3), row.getDouble(4)));
        }
      }
    }
    return kinds;
  }

  /** Has an entry carried out once more, whatever came of it so far; its schedule begins anew. */
  public Redelivery redeliver(UUID jobId, UUID id) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      Redelivery redelivery =
          lock(connection, jobId, id) ? schedule(connection, id) : Redelivery.UNKNOWN;
      connection.commit();
      return redelivery;
    }
  }

  private static boolean lock(Connection connection, UUID jobId, UUID id) throws SQLException {
    try (PreparedStatement query =
        connection.prepareStatement(
            "SELECT id FROM caravan.outbox WHERE id = ? AND job_id = ? FOR UPDATE")) {
      query.setObject(1, id);
      query.setObject(2, jobId);
      try (ResultSet row = query.executeQuery()) {
        return row.next();
      }
    }
  }

  /** An execution that a node has picked stays its own: it may be about to be removed. */
  private static Redelivery schedule(Connection connection, UUID id) throws SQLException {
    String sql =
        """
        WITH execution AS (
          INSERT INTO caravan.scheduled_tasks AS t
            (task_name, task_instance, execution_time, picked, version, priority)
          VALUES (?, ?, clock_timestamp(), false, 1, 0)
          ON CONFLICT (task_name, task_instance) DO UPDATE
            SET execution_time = excluded.execution_time, version = t.version + 1
            WHERE NOT t.picked
          RETURNING task_instance)
        UPDATE caravan.outbox SET state = 'pending', ended_at = NULL, retries = 0, soon = 0
        FROM execution WHERE id = task_instance::uuid""";
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      update.setString(1, TASK);
      update.setString(2, id.toString());
      return update.executeUpdate() == 1 ? Redelivery.SCHEDULED : Redelivery.RUNNING;
    }
  }

  /**
   * The entries of a job with their attempts, the oldest first, as a JSON array. Of the address
   * that a webhook goes to only the host is shown: the rest of it may be a secret.
   */
  public String list(UUID jobId) throws SQLException {
    String sql =
        """
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', o.id, 'kind', o.kind, 'state', o.state,
            'host', substring(o.payload->>'url' FROM '^[A-Za-z]+://[^/?#]+'),
            'created_at', o.created_at, 'ended_at', o.ended_at,
            'next_attempt_at', CASE WHEN o.state = 'pending' THEN t.execution_time END,
            'attempts', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'attempt', a.attempt, 'at', a.at, 'node', a.node, 'outcome', a.outcome,
                'elapsed_ms', round(extract(epoch FROM a.elapsed) * 1000),
                'status_code', a.status_code, 'error', a.error) ORDER BY a.attempt), '[]')
              FROM caravan.outbox_attempt a WHERE a.outbox_id = o.id))
          ORDER BY o.created_at, o.id), '[]')
        FROM caravan.outbox o
        LEFT JOIN caravan.scheduled_tasks t ON t.task_name = ? AND t.task_instance = o.id::text
        WHERE o.job_id = ?""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, TASK);
      query.setObject(2, jobId);
      try (ResultSet row = query.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  /** Empty when the entry's job is gone. */
  Optional<OutboxEntry> find(UUID id) throws SQLException {
    String sql =
        """
        SELECT job_id, kind, payload, state = 'pending', retries, soon,
          extract(epoch FROM clock_timestamp() - created_at)
        FROM caravan.outbox WHERE id = ?""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, id);
      try (ResultSet row = query.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        return Optional.of(
            new OutboxEntry(
                id,
                row.getObject(1, UUID.class),
                row.getString(2),
                row.getString(3),
                row.getBoolean(4),
                row.getInt(5),
                row.getInt(6),
                Duration.ofSeconds(row.getLong(7))));
      }
    }
  }

  /**
   * Notes an attempt that ended just now and what it means for its entry. Two nodes may do so for
   * one entry, when the first was taken for dead: then whoever had success is right.
   *
   * @param over true when no attempt follows
   */
  void record(UUID id, String node, Outcome outcome, boolean over, Duration elapsed)
      throws SQLException {
    String sql =
        """
        WITH entry AS (
          UPDATE caravan.outbox SET attempts = attempts + 1, retries = retries + ?, soon = soon + ?,
            state = CASE WHEN ?::text = 'done' OR state = 'pending' THEN ? ELSE state END,
            ended_at = CASE WHEN ?::text = 'pending' THEN ended_at
                       ELSE coalesce(ended_at, clock_timestamp()) END
          WHERE id = ? RETURNING id, attempts),
        too_old AS (
          DELETE FROM caravan.outbox_attempt a USING entry
          WHERE a.outbox_id = entry.id AND a.attempt <= entry.attempts - 100)
        INSERT INTO caravan.outbox_attempt
          (outbox_id, attempt, at, elapsed, node, outcome, status_code, error)
        SELECT id, attempts, clock_timestamp() - e, e, ?, ?, ?, ?
        FROM entry, (SELECT ? * interval '1 millisecond') elapsed (e)""";
    String state = outcome.kind() == Outcome.Kind.DONE ? "done" : over ? "given_up" : "pending";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setInt(1, outcome.kind() == Outcome.Kind.RETRY ? 1 : 0);
      insert.setInt(2, outcome.kind() == Outcome.Kind.SOON ? 1 : 0);
      insert.setString(3, state);
      insert.setString(4, state);
      insert.setString(5, state);
      insert.setObject(6, id);
      insert.setString(7, node);
      insert.setString(8, outcome.kind().name().toLowerCase(Locale.ROOT));
      insert.setObject(9, outcome.status());
      insert.setString(10, outcome.error());
      insert.setLong(11, elapsed.toMillis());
      insert.executeUpdate();
    }
  }
}
