package dev.caravan.setup.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * Which node has which version of the operator's project files. Each statement stands alone: nodes
 * that write at the same time agree with their next look.
 */
public final class ProjectFileTable {

  private final DataSource dataSource;
  private final String node;
  private final Duration silence;

  /**
   * @param node name of this process
   * @param silence after which a node that was not seen is dead
   */
  public ProjectFileTable(DataSource dataSource, String node, Duration silence) {
    this.dataSource = dataSource;
    this.node = node;
    this.silence = silence;
  }

  /**
   * Notes what this node has, and that it lives.
   *
   * @param versions SHA-256 of this node's files, by project
   * @return projects that this node leaves to another one, and to which: that one has had another
   *     version for longer, or it has the file and this node does not
   */
  public Map<String, String> seen(Map<String, String> versions) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      List<String> projects = List.copyOf(versions.keySet());
      deleteOld(connection, projects);
      put(connection, projects, versions);
      return ahead(connection);
    }
  }

  private void deleteOld(Connection connection, List<String> projects) throws SQLException {
    String sql =
        """
        DELETE FROM caravan.project_file
        WHERE seen_at < clock_timestamp() - ?::bigint * interval '1 ms'
          OR (node = ? AND project <> ALL (?))""";
    try (PreparedStatement delete = connection.prepareStatement(sql)) {
      delete.setLong(1, silence.toMillis());
      delete.setString(2, node);
      delete.setArray(3, connection.createArrayOf("text", projects.toArray()));
      delete.executeUpdate();
    }
  }

  private void put(Connection connection, List<String> projects, Map<String, String> versions)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.project_file AS f (project, node, sha256)
        SELECT n.project, ?, n.sha256 FROM unnest(?::text[], ?::text[]) AS n(project, sha256)
        ON CONFLICT (project, node) DO UPDATE SET sha256 = excluded.sha256, seen_at = clock_timestamp(),
          since = CASE WHEN f.sha256 = excluded.sha256 THEN f.since ELSE clock_timestamp() END""";
    try (PreparedStatement upsert = connection.prepareStatement(sql)) {
      upsert.setString(1, node);
      upsert.setArray(2, connection.createArrayOf("text", projects.toArray()));
      upsert.setArray(
          3, connection.createArrayOf("text", projects.stream().map(versions::get).toArray()));
      upsert.executeUpdate();
    }
  }

  private Map<String, String> ahead(Connection connection) throws SQLException {
    String sql =
        """
        SELECT DISTINCT ON (other.project) other.project, other.node
        FROM caravan.project_file other
        LEFT JOIN caravan.project_file mine ON mine.project = other.project AND mine.node = ?
        WHERE other.node <> ? AND (mine.node IS NULL
          OR (other.sha256 <> mine.sha256 AND (other.since, other.node) < (mine.since, mine.node)))
        ORDER BY other.project, other.since""";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, node);
      query.setString(2, node);
      Map<String, String> ahead = new HashMap<>();
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          ahead.put(row.getString(1), row.getString(2));
        }
      }
      return ahead;
    }
  }

  /** This node has none any more. */
  public void leave() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement delete =
            connection.prepareStatement("DELETE FROM caravan.project_file WHERE node = ?")) {
      delete.setString(1, node);
      delete.executeUpdate();
    }
  }
}
