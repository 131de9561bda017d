package dev.caravan.pgload;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/** The rows of {@code caravan.load}: what was loaded, and so what need not be loaded again. */
final class LoadLedger {

  private LoadLedger() {}

  /**
   * The load that brought the same content already. Content that has been overtaken does not count:
   * under the same file name for an upsert (A, B, A again is loaded three times), by any later load
   * when a record that is not there counts, too.
   */
  static Optional<UUID> sameContent(Connection connection, LoadSpec spec, LoadOrigin origin)
      throws SQLException {
    String overtaken = spec.removesRows() ? "" : "AND later.file = ?";
    String sql =
        """
        SELECT l.load_id
        FROM caravan.load l
        WHERE l.pipeline = ? AND l.content_sha256 = ?
          AND NOT EXISTS (
            SELECT FROM caravan.load later
            WHERE later.pipeline = l.pipeline AND later.seq > l.seq
              AND later.content_sha256 <> l.content_sha256 %s)
        ORDER BY l.seq DESC
        LIMIT 1"""
            .formatted(overtaken);
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, origin.pipeline());
      query.setString(2, origin.sha256());
      if (!spec.removesRows()) {
        query.setString(3, origin.file());
      }
      try (ResultSet row = query.executeQuery()) {
        return row.next() ? Optional.of(row.getObject(1, UUID.class)) : Optional.empty();
      }
    }
  }

  /** True when the load is committed. */
  static boolean exists(Connection connection, UUID loadId) throws SQLException {
    String sql = "SELECT FROM caravan.load WHERE load_id = ?";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, loadId);
      try (ResultSet row = query.executeQuery()) {
        return row.next();
      }
    }
  }

  /** What a load did that is committed; how long it took is not known any more. */
  static Optional<LoadResult> find(Connection connection, UUID loadId) throws SQLException {
    String sql =
        """
        SELECT target_schema, target_table, rows_read, rows_inserted, rows_updated, rows_unchanged,
          rows_superseded, rows_rejected, rows_filtered, rows_deleted, bytes
        FROM caravan.load WHERE load_id = ?""";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, loadId);
      try (ResultSet row = query.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        return Optional.of(
            new LoadResult(
                loadId,
                new TableName(row.getString(1), row.getString(2)),
                LoadResult.Outcome.LOADED,
                null,
                row.getLong(3),
                row.getLong(4),
                row.getLong(5),
                row.getLong(6),
                row.getLong(7),
                row.getLong(8),
                row.getLong(9),
                row.getLong(10),
                row.getLong(11),
                Duration.ZERO,
                List.of("RECOVERED: an earlier attempt had committed the load")));
      }
    }
  }

  /** The columns, with their types, that the last load of the pipeline wrote to the target. */
  static Map<String, String> lastColumns(Connection connection, LoadSpec spec, LoadOrigin origin)
      throws SQLException {
    String sql =
        """
        SELECT c.key, c.value
        FROM (SELECT columns FROM caravan.load
              WHERE pipeline = ? AND target_schema = ? AND target_table = ?
              ORDER BY seq DESC LIMIT 1) l,
             jsonb_each_text(l.columns) c""";
    Map<String, String> columns = new LinkedHashMap<>();
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, origin.pipeline());
      query.setString(2, spec.target().schema());
      query.setString(3, spec.target().name());
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          columns.put(row.getString(1), row.getString(2));
        }
      }
    }
    return columns;
  }

  /** Writes the load's row; a second one with the same id is refused by the primary key. */
  static void write(Connection connection, ColumnPlan plan, LoadOrigin origin, LoadResult result)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.load (load_id, pipeline, target_schema, target_table, file,
          content_sha256, bytes, columns, drift, rows_read, rows_inserted, rows_updated, rows_unchanged,
          rows_superseded, rows_rejected, rows_filtered, rows_deleted)
        VALUES (?, ?, ?, ?, ?, ?, ?, jsonb_object(?, ?),
          (SELECT coalesce(jsonb_agg(to_jsonb(d)), '[]')
           FROM unnest(?::text[], ?::text[], ?::text[], ?::text[])
             AS d(change, "column", before, after)),
          ?, ?, ?, ?, ?, ?, ?, ?)""";
    Map<String, String> types = plan.types();
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, origin.loadId());
      insert.setString(2, origin.pipeline());
      insert.setString(3, result.target().schema());
      insert.setString(4, result.target().name());
      insert.setString(5, new ServerEncoding(connection).storable(origin.file()));
      insert.setString(6, origin.sha256());
      insert.setLong(7, result.bytes());
      insert.setArray(8, connection.createArrayOf("text", types.keySet().toArray()));
      insert.setArray(9, connection.createArrayOf("text", types.values().toArray()));
      insert.setArray(
          10, texts(connection, plan, change -> change.kind().name().toLowerCase(Locale.ROOT)));
      insert.setArray(11, texts(connection, plan, Drift::column));
      insert.setArray(12, texts(connection, plan, Drift::before));
      insert.setArray(13, texts(connection, plan, Drift::after));
      int i = 14;
      for (long count : result.counts().values()) {
        insert.setLong(i++, count);
      }
      insert.executeUpdate();
    }
  }

  private static Array texts(Connection connection, ColumnPlan plan, Function<Drift, String> part)
      throws SQLException {
    return connection.createArrayOf("text", plan.drift().stream().map(part).toArray());
  }
}
