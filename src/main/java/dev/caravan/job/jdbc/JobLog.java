package dev.caravan.job.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/** What the program said during a job, to be read alone. */
public final class JobLog {

  private final DataSource dataSource;

  /** One line. */
  public record Line(UUID jobId, Instant at, String level, String message) {}

  /** The database of the job tables. */
  public JobLog(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** Adds the lines; those of jobs that are not there are left out. */
  public void write(List<Line> lines, String node) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job_log (job_id, at, node, level, message)
        SELECT id, ?, ?, ?, ? FROM caravan.job WHERE id = ?""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      connection.setAutoCommit(false);
      for (Line line : lines) {
        insert.setTimestamp(1, Timestamp.from(line.at()));
        insert.setString(2, node);
        insert.setString(3, line.level());
        // PostgreSQL has no text with NUL in it
        insert.setString(4, line.message().replace('\0', '\ufffd'));
        insert.setObject(5, line.jobId());
        insert.addBatch();
      }
      insert.executeBatch();
      connection.commit();
    }
  }
}
