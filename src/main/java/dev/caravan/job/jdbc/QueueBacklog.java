package dev.caravan.job.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;

/** How much work there is in the queues, for all nodes together. */
public final class QueueBacklog {

  private final DataSource dataSource;

  /** The database of the job tables. */
  public QueueBacklog(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * One queue.
   *
   * @param waiting jobs that are not admitted, also those that pause before they are tried again
   * @param admitted jobs that run or are about to
   * @param oldestSeconds how long the one that waits longest could have run
   */
  public record Waiting(long waiting, long admitted, double oldestSeconds) {
    /** A queue without jobs. */
    public static final Waiting NONE = new Waiting(0, 0, 0);
  }

  /** By the name of the queue; those without jobs are left out. */
  public Map<String, Waiting> read() throws SQLException {
    String sql =
        """
        SELECT queue, sum(waiting), sum(admitted), max(oldest) FROM (
          SELECT queue, count(*) AS waiting, 0 AS admitted, greatest(0, extract(epoch FROM
            clock_timestamp() - min(greatest(created_at, run_after)))) AS oldest
          FROM caravan.job WHERE state = 'queued' AND admission IS NULL GROUP BY queue
          UNION ALL
          SELECT queue, 0, count(*), 0 FROM caravan.job WHERE admission IS NOT NULL GROUP BY queue) q
        GROUP BY queue""";
    Map<String, Waiting> queues = new HashMap<>();
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setQueryTimeout(2);
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          queues.put(
              row.getString(1), new Waiting(row.getLong(2), row.getLong(3), row.getDouble(4)));
        }
      }
    }
    return queues;
  }
}
