package dev.caravan.job.jdbc;

import dev.caravan.failure.FailureCode;
import dev.caravan.job.FileResult;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import javax.sql.DataSource;

/** Jobs, their files and their errors in schema {@code caravan}. Each call is one transaction. */
public final class JdbcJobRepository {

  private final DataSource dataSource;
  private final String node;

  /**
   * @param node name of this process among those that share the database; its jobs are its own to
   *     close after a crash
   */
  public JdbcJobRepository(DataSource dataSource, String node) {
    this.dataSource = dataSource;
    this.node = node;
  }

  /** Writes a job that starts to run now. */
  public void start(UUID id, String kind, String project) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job (id, kind, project, state, node, started_at)
        VALUES (?, ?, ?, 'running', ?, clock_timestamp())
        ON CONFLICT (id) DO NOTHING""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, id);
      insert.setString(2, kind);
      insert.setString(3, project);
      insert.setString(4, node);
      insert.executeUpdate();
    }
  }

  /** Notes an attempt that failed and is made again. */
  public void attemptFailed(UUID id, int attempt, FailureCode code, String message)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      insertError(connection, id, attempt, code, message);
    }
  }

  /** Writes how the job ended, with its files, in one transaction. */
  public void end(JobEnd end) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      for (FileResult file : end.files()) {
        insertFile(connection, end, file);
      }
      if (end.code() != null) {
        insertError(connection, end.jobId(), end.attempts(), end.code(), end.message());
      }
      close(connection, end.jobId(), end.state(), end.attempts(), end.code(), end.message());
      connection.commit();
    }
  }

  private static void close(
      Connection connection,
      UUID id,
      JobState state,
      int attempts,
      FailureCode code,
      String message)
      throws SQLException {
    String sql =
        """
        UPDATE caravan.job
        SET state = ?, attempt = ?, code = ?, message = ?, completed_at = clock_timestamp()
        WHERE id = ? AND state = 'running'""";
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      update.setString(1, state.text());
      update.setInt(2, attempts);
      update.setString(3, code == null ? null : code.name());
      update.setString(4, message);
      update.setObject(5, id);
      update.executeUpdate();
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

  private static void insertFile(Connection connection, JobEnd end, FileResult file)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job_file (job_id, file, project, size, modified_at, table_name, status,
          same_as, rows_read, rows_inserted, rows_updated, rows_unchanged, rows_superseded,
          rows_rejected, rows_filtered, rows_deleted, elapsed, warnings)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? * interval '1 microsecond', ?)""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, end.jobId());
      insert.setString(2, file.file());
      insert.setString(3, end.project());
      insert.setObject(4, file.size());
      insert.setTimestamp(5, file.modifiedAt() == null ? null : Timestamp.from(file.modifiedAt()));
      insert.setString(6, file.table());
      insert.setString(7, file.status().name().toLowerCase(Locale.ROOT));
      insert.setObject(8, file.sameAs());
      int i = 9;
      for (String count : FileResult.COUNTS) {
        insert.setLong(i++, file.count(count));
      }
      insert.setObject(17, file.elapsed() == null ? null : file.elapsed().toNanos() / 1_000);
      insert.setArray(18, connection.createArrayOf("text", file.warnings().toArray()));
      insert.executeUpdate();
    }
  }

  /**
   * Closes the jobs that this node left running when it died. A load that was committed is
   * completed, whatever its job record had time to say; any other job failed as interrupted.
   *
   * @return how many there were
   */
  public int closeInterrupted() throws SQLException {
    String sql =
        """
        WITH open AS (
          SELECT j.id, j.project, j.attempt, l AS load
          FROM caravan.job j LEFT JOIN caravan.load l ON l.load_id = j.id
          WHERE j.state = 'running' AND j.node = ?),
        files AS (
          INSERT INTO caravan.job_file (job_id, file, project, table_name, status, rows_read,
            rows_inserted, rows_updated, rows_unchanged, rows_superseded, rows_rejected,
            rows_filtered, rows_deleted)
          SELECT id, (load).file, project, (load).target_schema || '.' || (load).target_table,
            'loaded', (load).rows_read, (load).rows_inserted, (load).rows_updated,
            (load).rows_unchanged, (load).rows_superseded, (load).rows_rejected,
            (load).rows_filtered, (load).rows_deleted
          FROM open WHERE (load).load_id IS NOT NULL),
        errors AS (
          INSERT INTO caravan.job_error (job_id, attempt, code, message)
          SELECT id, attempt, 'INTERRUPTED', 'the process ended during the job'
          FROM open WHERE (load).load_id IS NULL)
        UPDATE caravan.job j
        SET state = CASE WHEN (o.load).load_id IS NULL THEN 'failed' ELSE 'completed' END,
            code = CASE WHEN (o.load).load_id IS NULL THEN 'INTERRUPTED' END,
            message = CASE WHEN (o.load).load_id IS NULL
                      THEN 'the process ended during the job; the file is loaded by a new job'
                      ELSE 'the process ended after the commit' END,
            completed_at = clock_timestamp()
        FROM open o WHERE o.id = j.id""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement update = connection.prepareStatement(sql)) {
      update.setString(1, node);
      return update.executeUpdate();
    }
  }

  /** True when exactly this file was loaded, or skipped as the same content, and not moved away. */
  public boolean isLoadedAndThere(String project, String file, long size, Instant modifiedAt)
      throws SQLException {
    String sql =
        """
        SELECT EXISTS (
          SELECT FROM caravan.job_file
          WHERE project = ? AND file = ? AND size = ? AND modified_at = ?
            AND status IN ('loaded', 'same_content') AND moved_at IS NULL)""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, project);
      query.setString(2, file);
      query.setLong(3, size);
      query.setTimestamp(4, Timestamp.from(modifiedAt));
      try (ResultSet row = query.executeQuery()) {
        row.next();
        return row.getBoolean(1);
      }
    }
  }

  /** Notes that the file was moved away, so that the next one of its name is a new one. */
  public void moved(String project, String file) throws SQLException {
    String sql =
        """
        UPDATE caravan.job_file SET moved_at = clock_timestamp()
        WHERE project = ? AND file = ? AND moved_at IS NULL
          AND status IN ('loaded', 'same_content')""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement update = connection.prepareStatement(sql)) {
      update.setString(1, project);
      update.setString(2, file);
      update.executeUpdate();
    }
  }
}
