package dev.caravan.job.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** Jobs as JSON, written by the view {@code caravan.job_report}. */
public final class JobReports {

  private final DataSource dataSource;

  /** The database of the job tables. */
  public JobReports(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * The newest jobs as an array.
   *
   * @param state of all of them; null for any
   */
  public String newest(String state, int limit) throws SQLException {
    String sql =
        """
        SELECT coalesce(jsonb_agg(report ORDER BY created_at DESC), '[]')
        FROM (SELECT * FROM caravan.job_report
              WHERE ?::text IS NULL OR state = ? ORDER BY created_at DESC LIMIT ?) newest""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, state);
      query.setString(2, state);
      query.setInt(3, limit);
      return first(query).orElseThrow();
    }
  }

  /** One job; empty when there is none. */
  public Optional<String> find(UUID id) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement("SELECT report FROM caravan.job_report WHERE id = ?")) {
      query.setObject(1, id);
      return first(query);
    }
  }

  /** The project of a job; empty when there is no such job. */
  public Optional<String> project(UUID id) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement("SELECT project FROM caravan.job WHERE id = ?")) {
      query.setObject(1, id);
      return first(query);
    }
  }

  /** Says that the database answers. */
  public String health() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement(
                "SELECT jsonb_build_object('status', 'up', 'database', 'up')")) {
      return first(query).orElseThrow();
    }
  }

  private static Optional<String> first(PreparedStatement query) throws SQLException {
    try (ResultSet row = query.executeQuery()) {
      return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
    }
  }
}
