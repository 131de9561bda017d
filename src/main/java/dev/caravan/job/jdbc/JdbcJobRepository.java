package dev.caravan.job.jdbc;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Attempt;
import dev.caravan.job.Effect;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobListener;
import dev.caravan.job.JobLoad;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.JobState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/** Jobs, their files and their errors in schema {@code caravan}. Each call is one transaction. */
public final class JdbcJobRepository {

  private final DataSource dataSource;
  private final String node;
  private final Outbox outbox;
  private final List<JobListener> listeners;
  private final List<JobObserver> observers;

  /** Keeps what is to happen after the commit. */
  @FunctionalInterface
  public interface Outbox {
    /** Writes the effect in the connection's transaction. */
    void add(Connection connection, UUID job, Effect effect) throws SQLException;
  }

  /**
   * @param node name of this process among those that share the database; its jobs are its own to
   *     close after a crash
   * @param listeners are told in their order
   * @param observers write in the transaction of each end
   */
  public JdbcJobRepository(
      DataSource dataSource,
      String node,
      Outbox outbox,
      List<JobListener> listeners,
      List<JobObserver> observers) {
    this.observers = List.copyOf(observers);
    this.dataSource = dataSource;
    this.node = node;
    this.outbox = outbox;
    this.listeners = List.copyOf(listeners);
  }

  /** Writes a job that begins now, outside of the queue. */
  public void start(UUID id, String kind, String tenant, String project) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job (id, kind, project, tenant, state, attempt, node, started_at)
        VALUES (?, ?, ?, ?, 'running', 1, ?, clock_timestamp())
        ON CONFLICT (id) DO NOTHING""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, id);
      insert.setString(2, kind);
      insert.setString(3, project);
      insert.setString(4, tenant);
      insert.setString(5, node);
      insert.executeUpdate();
    }
  }

  /**
   * Writes how the job ended.
   *
   * @param epoch of the attempt that ended it; 0 outside of the queue
   * @return false when the attempt is not the newest or the job has ended: nothing was written
   */
  public boolean end(JobEnd end, long epoch) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      boolean ours = hold(connection, end.jobId(), epoch);
      if (ours) {
        if (end.code() != null) {
          insertError(connection, end.jobId(), end.attempts(), end.code(), end.message());
        }
        close(connection, end);
        JobLoadTable.endAll(connection, end.jobId());
        announceEnd(connection, end.jobId(), end.state());
      }
      connection.commit();
      if (ours) {
        tell(end);
      }
      return ours;
    }
  }

  /** To be called after the commit. */
  void tell(JobEnd end) {
    listeners.forEach(listener -> listener.ended(end));
  }

  private static void close(Connection connection, JobEnd end) throws SQLException {
    String sql =
        """
        UPDATE caravan.job SET state = ?, code = ?, message = ?, admission = NULL,
          completed_at = clock_timestamp()
        WHERE id = ?""";
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      update.setString(1, end.state().text());
      update.setString(2, end.code() == null ? null : end.code().name());
      update.setString(3, end.message());
      update.setObject(4, end.jobId());
      update.executeUpdate();
    }
  }

  /**
   * Puts the job of an attempt back into the queue.
   *
   * @param code why; null when the node stops and the attempt is not to count
   * @param unsure true when it may have committed
   * @param delay before it may be admitted again
   * @return as {@link #end}
   */
  public boolean again(
      Attempt attempt, FailureCode code, String message, boolean unsure, Duration delay)
      throws SQLException {
    int used = code == null ? attempt.number() - 1 : attempt.number();
    return queue(attempt, used, code, message, unsure, delay);
  }

  /**
   * Hands a job back for an attempt that only finds out whether one before has committed.
   *
   * @param code what cut it off
   * @param delay before it may be admitted
   */
  public void lookUp(Attempt attempt, FailureCode code, String message, Duration delay)
      throws SQLException {
    int used = Math.max(attempt.number(), attempt.maxAttempts());
    queue(attempt, used, code, message, true, delay);
  }

  /** What the last attempt that failed has failed with. */
  public Optional<CaravanException> lastError(UUID id) throws SQLException {
    String sql =
        "SELECT code, message FROM caravan.job_error WHERE job_id = ? ORDER BY id DESC LIMIT 1";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, id);
      try (ResultSet row = query.executeQuery()) {
        return row.next()
            ? Optional.of(
                new CaravanException(FailureCode.valueOf(row.getString(1)), row.getString(2)))
            : Optional.empty();
      }
    }
  }

  private boolean queue(
      Attempt attempt, int used, FailureCode code, String message, boolean unsure, Duration delay)
      throws SQLException {
    String sql =
        """
        UPDATE caravan.job SET state = 'queued', admission = NULL, node = NULL,
          attempt = ?, unsure = ?, run_after = clock_timestamp() + ?::bigint * interval '1 ms'
        WHERE id = ?""";
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      boolean ours = hold(connection, attempt.jobId(), attempt.epoch());
      if (ours) {
        if (code != null) {
          insertError(connection, attempt.jobId(), attempt.number(), code, message);
        }
        try (PreparedStatement update = connection.prepareStatement(sql)) {
          update.setInt(1, used);
          update.setBoolean(2, unsure);
          update.setLong(3, delay.toMillis());
          update.setObject(4, attempt.jobId());
          update.executeUpdate();
        }
        JobLoadTable.endAll(connection, attempt.jobId());
      }
      connection.commit();
      return ours;
    }
  }

  /** A job, as somebody who wants to cancel it needs to know it. */
  public record Cancellable(boolean open, String connection) {}

  /** What a cancellation needs to know; empty when there is no such job. */
  public Optional<Cancellable> cancellable(UUID id) throws SQLException {
    String sql = "SELECT state IN ('queued', 'running'), connection FROM caravan.job WHERE id = ?";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, id);
      try (ResultSet row = query.executeQuery()) {
        return row.next()
            ? Optional.of(new Cancellable(row.getBoolean(1), row.getString(2)))
            : Optional.empty();
      }
    }
  }

  /** Ends a job that waits or runs; its node notices within a second or two. */
  public boolean cancel(UUID id) throws SQLException {
    String sql =
        """
        UPDATE caravan.job SET state = 'cancelled', code = 'CANCELLED', admission = NULL,
          message = 'cancelled on request', completed_at = clock_timestamp()
        WHERE id = ? AND state IN ('queued', 'running')
        """
            + ENDED;
    try (Connection connection = dataSource.getConnection();
        PreparedStatement update = connection.prepareStatement(sql)) {
      connection.setAutoCommit(false);
      update.setObject(1, id);
      List<JobEnd> ended = ended(update);
      if (!ended.isEmpty()) {
        JobLoadTable.endAll(connection, id);
        announceEnd(connection, id, JobState.CANCELLED);
      }
      connection.commit();
      ended.forEach(this::tell);
      return !ended.isEmpty();
    }
  }

  /** What {@link #ended} reads of jobs that an UPDATE has ended without an attempt of theirs. */
  static final String ENDED = "RETURNING id, kind, project, state, attempt, code, message";

  /** Runs an UPDATE that ends with {@link #ENDED}. */
  static List<JobEnd> ended(PreparedStatement update) throws SQLException {
    List<JobEnd> ended = new ArrayList<>();
    try (ResultSet row = update.executeQuery()) {
      while (row.next()) {
        ended.add(
            new JobEnd(
                row.getObject(1, UUID.class),
                row.getString(2),
                row.getString(3),
                JobState.valueOf(row.getString(4).toUpperCase(Locale.ROOT)),
                row.getInt(5),
                FailureCode.valueOf(row.getString(6)),
                row.getString(7),
                List.of()));
      }
    }
    return ended;
  }

  /**
   * Has the observers write what follows from the job's end, and whoever asked for it told, once
   * the transaction is committed.
   */
  void announceEnd(Connection connection, UUID id, JobState state) throws SQLException {
    for (JobObserver observer : observers) {
      observer.ended(connection, id, state);
    }
    String sql = "SELECT callback_url FROM caravan.job WHERE id = ? AND callback_url IS NOT NULL";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, id);
      try (ResultSet row = query.executeQuery()) {
        if (row.next()) {
          outbox.add(connection, id, new Effect(Effect.CALLBACK, row.getString(1)));
        }
      }
    }
  }

  /** True, and the job's row locked, while the attempt is the newest of a running job. */
  private static boolean hold(Connection connection, UUID job, long epoch) throws SQLException {
    String sql =
        "SELECT FROM caravan.job WHERE id = ? AND epoch = ? AND state = 'running' FOR UPDATE";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, job);
      query.setLong(2, epoch);
      try (ResultSet row = query.executeQuery()) {
        return row.next();
      }
    }
  }

  /**
   * Whether a load may begin.
   *
   * @param ours false when the attempt is not the newest or the job has ended: nothing was written
   * @param before the load as it ended in an earlier attempt, if that committed it
   */
  public record Begun(boolean ours, Optional<JobLoad> before) {}

  /**
   * Writes that a load runs; one that an earlier attempt has committed stays as it is.
   *
   * @param epoch as for {@link #end}
   */
  public Begun begin(UUID job, long epoch, String project, JobLoad load) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      boolean ours = hold(connection, job, epoch);
      Optional<JobLoad> before =
          ours ? JobLoadTable.committed(connection, job, load.id()) : Optional.empty();
      if (ours && before.isEmpty()) {
        JobLoadTable.write(connection, job, project, load);
      }
      connection.commit();
      return new Begun(ours, before);
    }
  }

  /**
   * Writes what became of a load.
   *
   * @param epoch as for {@link #end}
   * @param effects what is to happen once, because it is loaded
   * @return as {@link #end}
   */
  public boolean record(UUID job, long epoch, String project, JobLoad load, List<Effect> effects)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      boolean ours = hold(connection, job, epoch);
      if (ours && JobLoadTable.committed(connection, job, load.id()).isEmpty()) {
        JobLoadTable.write(connection, job, project, load);
        for (Effect effect : effects) {
          outbox.add(connection, job, effect);
        }
      }
      connection.commit();
      return ours;
    }
  }

  /** The labels of the loads that the job is known to have committed. */
  public Set<String> loaded(UUID job) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return JobLoadTable.committed(connection, job);
    }
  }

  private static void insertError(
      Connection connection, UUID id, int attempt, FailureCode code, String message)
      throws SQLException {
    String sql =
        "INSERT INTO caravan.job_error (job_id, attempt, code, message) VALUES (?, ?, ?, ?)";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, id);
      insert.setInt(2, attempt);
      insert.setString(3, code.name());
      insert.setString(4, message);
      insert.executeUpdate();
    }
  }

  /**
   * Closes the jobs outside of the queue that this node left running when it died. Those of the
   * queue are taken over.
   *
   * @return how many there were
   */
  public int closeInterrupted() throws SQLException {
    String sql =
        """
        WITH closed AS (
          UPDATE caravan.job
          SET state = 'failed', code = 'INTERRUPTED', message = 'the process ended during the job',
            completed_at = clock_timestamp()
          WHERE state = 'running' AND admission IS NULL AND node = ?
          RETURNING id, attempt, code, message)
        INSERT INTO caravan.job_error (job_id, attempt, code, message) SELECT * FROM closed""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement update = connection.prepareStatement(sql)) {
      update.setString(1, node);
      return update.executeUpdate();
    }
  }

  /** The states of files of a project that have a job; no other job is made for these. */
  public Set<SourceFile> taken(String project) throws SQLException {
    String sql =
        """
        SELECT s.file, s.size, s.modified_at FROM caravan.job_source s
        JOIN caravan.job j ON j.id = s.job_id
        WHERE s.project = ? AND NOT (j.state = 'failed' AND j.code = ANY (?)
          AND j.completed_at < clock_timestamp() - interval '30 s')""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, project);
      query.setArray(2, connection.createArrayOf("text", JobLauncher.transientCodes()));
      Set<SourceFile> taken = new HashSet<>();
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          taken.add(
              new SourceFile(row.getString(1), row.getLong(2), row.getTimestamp(3).toInstant()));
        }
      }
      return taken;
    }
  }

  /**
   * Gives files to a job of the queue; those that another job has are left out of the answer.
   *
   * @param again whether a job that has ended lets its files go
   */
  public List<SourceFile> take(UUID job, String project, List<SourceFile> files, boolean again)
      throws SQLException {
    List<SourceFile> given = new ArrayList<>();
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      for (SourceFile file : files) {
        if (JobLauncher.otherJob(connection, project, file, job, again).isEmpty()) {
          given.add(file);
        }
      }
      connection.commit();
    }
    return given;
  }

  /**
   * The file is not where it was any more: the next one of its name is a new one.
   *
   * @param moved false when somebody else took or replaced it
   * @param after what is to happen because of that
   */
  public void gone(UUID job, String project, SourceFile file, boolean moved, List<Effect> after)
      throws SQLException {
    String sql =
        """
        UPDATE caravan.job_load SET moved_at = clock_timestamp()
        WHERE job_id = ? AND label = ? AND moved_at IS NULL AND ?""";
    String release =
        """
        DELETE FROM caravan.job_source
        WHERE project = ? AND file = ? AND size = ? AND modified_at = ?""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement update = connection.prepareStatement(sql);
        PreparedStatement delete = connection.prepareStatement(release)) {
      connection.setAutoCommit(false);
      update.setObject(1, job);
      update.setString(2, file.name());
      update.setBoolean(3, moved);
      update.executeUpdate();
      delete.setString(1, project);
      delete.setString(2, file.name());
      delete.setLong(3, file.size());
      delete.setTimestamp(4, Timestamp.from(file.modifiedAt()));
      delete.executeUpdate();
      for (Effect effect : after) {
        outbox.add(connection, job, effect);
      }
      connection.commit();
    }
  }
}
