package dev.caravan.upload;

import java.io.InputStream;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Uploaded files, in pieces of about 1 MiB. A connection is held for one piece at a time: a caller
 * that is slow, and a load, hold none meanwhile.
 */
public final class Uploads {

  private final DataSource dataSource;
  private final String node;

  /**
   * @param dataSource a pool of its own: loads hold connections while they wait for the next piece
   * @param node of whose unfinished uploads nothing is left when it starts again
   */
  public Uploads(DataSource dataSource, String node) {
    this.dataSource = dataSource;
    this.node = node;
  }

  /** Begins one. */
  public UUID begin(String tenant, String filename) throws SQLException {
    UUID id = UUID.randomUUID();
    update(
        "INSERT INTO caravan.upload (id, tenant, filename, node) VALUES (?, ?, ?, ?)",
        id,
        tenant,
        filename,
        node);
    return id;
  }

  /** Keeps the next piece; fails when the upload was discarded meanwhile. */
  public void append(UUID id, int number, byte[] piece) throws SQLException {
    update("INSERT INTO caravan.upload_chunk VALUES (?, ?, ?)", id, number, piece);
  }

  /** All of it is there. */
  public void complete(UUID id, long bytes, String sha256) throws SQLException {
    update(
        """
        UPDATE caravan.upload SET bytes = ?, sha256 = ?, completed_at = clock_timestamp()
        WHERE id = ?""",
        bytes,
        sha256,
        id);
  }

  /** Forgets one, finished or not. */
  public void discard(UUID id) throws SQLException {
    update("DELETE FROM caravan.upload WHERE id = ?", id);
  }

  /** A finished one of the tenant. */
  public Optional<StoredUpload> find(String tenant, UUID id) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement(
                """
                SELECT filename, bytes, sha256, created_at FROM caravan.upload
                WHERE tenant = ? AND id = ? AND completed_at IS NOT NULL""")) {
      query.setString(1, tenant);
      query.setObject(2, id);
      try (ResultSet row = query.executeQuery()) {
        return row.next()
            ? Optional.of(
                new StoredUpload(
                    id,
                    row.getString(1),
                    row.getLong(2),
                    row.getString(3),
                    row.getObject(4, OffsetDateTime.class).toInstant()))
            : Optional.empty();
      }
    }
  }

  /** A job loads them: they are kept until it has completed. */
  public void usedBy(UUID job, List<UUID> ids) throws SQLException {
    for (UUID id : new ArrayList<>(ids)) {
      update("UPDATE caravan.upload SET job_id = ? WHERE id = ?", job, id);
    }
  }

  /** The bytes of one, from its start. */
  public InputStream open(UUID id) {
    return new PieceStream(number -> piece(id, number));
  }

  /** Null after the last one. */
  private byte[] piece(UUID id, int number) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement(
                "SELECT content FROM caravan.upload_chunk WHERE upload_id = ? AND number = ?")) {
      query.setObject(1, id);
      query.setInt(2, number);
      try (ResultSet row = query.executeQuery()) {
        return row.next() ? row.getBytes(1) : null;
      }
    }
  }

  /** Forgets what this node had not finished when it ended; before it takes any. */
  public void discardUnfinished() throws SQLException {
    update("DELETE FROM caravan.upload WHERE node = ? AND completed_at IS NULL", node);
  }

  /**
   * Forgets what was loaded, and what is a day old and waits for no job; to be done from time to
   * time. One whose job failed stays for that day, so that the job can be tried again.
   */
  public void sweep() throws SQLException {
    update(
        """
        DELETE FROM caravan.upload u USING caravan.upload v LEFT JOIN caravan.job j ON j.id = v.job_id
        WHERE u.id = v.id AND (j.state = 'completed'
          OR (v.created_at < clock_timestamp() - interval '1 day'
            AND NOT EXISTS (SELECT FROM caravan.job w WHERE w.state IN ('queued', 'running')
              AND (w.parameters -> 'uploads' ?? v.id::text
                OR w.parameters -> 'config' ->> 'upload' = v.id::text))))""");
  }

  private void update(String sql, Object... values) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      statement.executeUpdate();
    }
  }
}
