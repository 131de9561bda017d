package dev.caravan.job.jdbc;

import dev.caravan.job.JobLoad;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** The table {@code caravan.job_load}; the caller's transaction holds the job. */
final class JobLoadTable {

  private static final String DONE = "status IN ('loaded', 'same_content', 'skipped')";

  private JobLoadTable() {}

  /** The load as it ended, if nothing of it is left to do. */
  static Optional<JobLoad> committed(Connection connection, UUID job, UUID load)
      throws SQLException {
    String sql =
        "SELECT label, size, modified_at, table_name, status, same_as, rows_read, rows_inserted,"
            + " rows_updated, rows_unchanged, rows_superseded, rows_rejected, rows_filtered,"
            + " rows_deleted, extract(epoch FROM elapsed) * 1000000, warnings"
            + " FROM caravan.job_load WHERE job_id = ? AND load_id = ? AND "
            + DONE;
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, job);
      query.setObject(2, load);
      try (ResultSet row = query.executeQuery()) {
        return row.next() ? Optional.of(read(load, row)) : Optional.empty();
      }
    }
  }

  private static JobLoad read(UUID id, ResultSet row) throws SQLException {
    Map<String, Long> counts = new LinkedHashMap<>();
    int i = 7;
    for (String count : JobLoad.COUNTS) {
      counts.put(count, row.getLong(i++));
    }
    Timestamp modified = row.getTimestamp(3);
    long micros = row.getLong(15);
    Duration elapsed =
        row.wasNull() ? null : Duration.ofNanos(micros * 1_000); // wasNull: of the last read
    return new JobLoad(
        id,
        row.getString(1),
        row.getObject(2, Long.class),
        modified == null ? null : modified.toInstant(),
        row.getString(4),
        JobLoad.Status.valueOf(row.getString(5).toUpperCase(Locale.ROOT)),
        row.getObject(6, UUID.class),
        counts,
        elapsed,
        List.of((String[]) row.getArray(16).getArray()),
        null,
        null);
  }

  /** The labels of all of which nothing is left to do. */
  static Set<String> committed(Connection connection, UUID job) throws SQLException {
    String sql = "SELECT label FROM caravan.job_load WHERE job_id = ? AND " + DONE;
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, job);
      Set<String> labels = new HashSet<>();
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          labels.add(row.getString(1));
        }
      }
      return labels;
    }
  }

  /** Writes it in the place of what an earlier attempt or its own beginning wrote. */
  static void write(Connection connection, UUID job, String project, JobLoad load)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job_load (job_id, load_id, label, project, size, modified_at, table_name,
          status, same_as, code, message, rows_read, rows_inserted, rows_updated, rows_unchanged,
          rows_superseded, rows_rejected, rows_filtered, rows_deleted, elapsed, warnings, ended_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
          ? * interval '1 microsecond', ?, CASE WHEN ? THEN clock_timestamp() END)
        ON CONFLICT (job_id, load_id) DO UPDATE SET table_name = excluded.table_name,
          status = excluded.status, same_as = excluded.same_as, code = excluded.code,
          message = excluded.message, rows_read = excluded.rows_read,
          rows_inserted = excluded.rows_inserted, rows_updated = excluded.rows_updated,
          rows_unchanged = excluded.rows_unchanged, rows_superseded = excluded.rows_superseded,
          rows_rejected = excluded.rows_rejected, rows_filtered = excluded.rows_filtered,
          rows_deleted = excluded.rows_deleted, elapsed = excluded.elapsed,
          warnings = excluded.warnings, size = excluded.size, modified_at = excluded.modified_at,
          started_at = CASE WHEN excluded.status = 'running' THEN excluded.started_at
            ELSE job_load.started_at END,
          ended_at = excluded.ended_at""";
    try (PreparedStatement upsert = connection.prepareStatement(sql)) {
      upsert.setObject(1, job);
      upsert.setObject(2, load.id());
      upsert.setString(3, load.label());
      upsert.setString(4, project);
      upsert.setObject(5, load.size());
      upsert.setTimestamp(6, load.modifiedAt() == null ? null : Timestamp.from(load.modifiedAt()));
      upsert.setString(7, load.table());
      upsert.setString(8, load.status().name().toLowerCase(Locale.ROOT));
      upsert.setObject(9, load.sameAs());
      upsert.setString(10, load.code() == null ? null : load.code().name());
      upsert.setString(11, load.message());
      int i = 12;
      for (String count : JobLoad.COUNTS) {
        upsert.setLong(i++, load.count(count));
      }
      upsert.setObject(20, load.elapsed() == null ? null : load.elapsed().toNanos() / 1_000);
      upsert.setArray(21, connection.createArrayOf("text", load.warnings().toArray()));
      upsert.setBoolean(22, load.status() != JobLoad.Status.RUNNING);
      upsert.executeUpdate();
    }
  }

  /** The job has ended or waits for another attempt: nothing of it runs. */
  static void endAll(Connection connection, UUID job) throws SQLException {
    String sql =
        """
        UPDATE caravan.job_load l SET ended_at = clock_timestamp(),
          status = CASE j.state WHEN 'cancelled' THEN 'cancelled' ELSE 'failed' END,
          code = coalesce(j.code, 'INTERRUPTED'), message = j.message
        FROM caravan.job j WHERE j.id = l.job_id AND l.job_id = ? AND l.status = 'running'""";
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      update.setObject(1, job);
      update.executeUpdate();
    }
  }
}
