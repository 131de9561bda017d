package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.Reject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The refused records of one load. It holds a bounded part in memory: full batches go to the table
 * in the load's transaction, and the first ones are kept for the case that the load fails.
 */
final class RejectLog {

  /** What a failed load lists at the most. */
  static final int FIRST = 1_000;

  private static final int BATCH = 1_000;
  private static final int BATCH_CHARS = 4 << 20;

  private final LoadSpec spec;
  private final LoadOrigin origin;
  private final List<String> columns;
  private final List<Reject> first = new ArrayList<>();
  private final List<Reject> batch = new ArrayList<>();
  private long firstChars;
  private long batchChars;
  private long count;

  /**
   * @param columns of the source
   */
  RejectLog(LoadSpec spec, LoadOrigin origin, List<String> columns) {
    this.columns = columns;
    this.spec = spec;
    this.origin = origin;
  }

  /**
   * Notes one.
   *
   * @return true when the batch is full and is to be {@link #write written}
   * @throws CaravanException TOO_MANY_REJECTS when the limit is passed
   */
  boolean add(Reject reject) {
    count++;
    if (first.size() < FIRST && firstChars < BATCH_CHARS) {
      first.add(reject);
      firstChars += reject.raw().length();
    }
    if (spec.maxErrors().isPresent() && count > spec.maxErrors().getAsLong()) {
      throw tooMany("More than %d records were refused".formatted(spec.maxErrors().getAsLong()));
    }
    if (spec.onError() == OnError.FAIL) {
      return false;
    }
    batch.add(reject);
    batchChars += reject.raw().length();
    return batch.size() >= BATCH || batchChars >= BATCH_CHARS;
  }

  /** Checks what can be judged only at the end: the ratio, a strict load, a file of bad rows. */
  void check(long read) {
    if (count == 0) {
      return;
    }
    if (spec.onError() == OnError.FAIL) {
      throw new CaravanException(
          FailureCode.ROWS_REJECTED,
          "%d of %d records were refused and the load is to fail on a bad row. %s"
              .formatted(count, read, firstOne()));
    }
    double ratio = spec.maxErrorRatio().orElse(1.0);
    if (count > ratio * read) {
      throw tooMany(
          "%d of %d records were refused; allowed is a share of %s".formatted(count, read, ratio));
    }
    if (count == read) {
      throw tooMany("All %d records were refused".formatted(read));
    }
  }

  private CaravanException tooMany(String what) {
    return new CaravanException(FailureCode.TOO_MANY_REJECTS, what + ". " + firstOne());
  }

  private String firstOne() {
    Reject one = first.get(0);
    String column = one.column() == null ? "" : ", column '" + one.column() + "'";
    return "The first: line %d%s: %s %s".formatted(one.line(), column, one.code(), one.message());
  }

  /** Writes what is in the batch to the rejects table, in the current transaction. */
  void write(Connection connection) throws SQLException {
    insert(connection, batch);
    batch.clear();
    batchChars = 0;
  }

  /** Writes the first ones, after the load's transaction was rolled back. */
  void writeFirst(Connection connection) throws SQLException {
    insert(connection, first);
  }

  /** Those of an earlier attempt at the load, which refused what it found in the source then. */
  static void forget(Connection connection, UUID loadId) throws SQLException {
    for (String table : List.of("caravan.reject", "caravan.reject_columns")) {
      try (PreparedStatement delete =
          connection.prepareStatement("DELETE FROM " + table + " WHERE load_id = ?")) {
        delete.setObject(1, loadId);
        delete.executeUpdate();
      }
    }
  }

  private void insert(Connection connection, List<Reject> rejects) throws SQLException {
    if (rejects.isEmpty()) {
      return;
    }
    ServerEncoding encoding = new ServerEncoding(connection);
    insertColumns(connection, encoding);
    String sql =
        """
        INSERT INTO caravan.reject
          (load_id, line, file, byte_offset, column_name, code, message, raw)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (load_id, line) DO NOTHING""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      for (Reject reject : rejects) {
        insert.setObject(1, origin.loadId());
        insert.setLong(2, reject.line());
        insert.setString(3, encoding.storable(origin.file()));
        if (reject.byteOffset() < 0) {
          insert.setNull(4, Types.BIGINT);
        } else {
          insert.setLong(4, reject.byteOffset());
        }
        insert.setString(5, encoding.storable(reject.column()));
        insert.setString(6, reject.code().name());
        insert.setString(7, encoding.storable(reject.message()));
        insert.setString(8, encoding.storable(reject.raw()));
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  private void insertColumns(Connection connection, ServerEncoding encoding) throws SQLException {
    List<String> storable = new ArrayList<>();
    for (String column : columns) {
      storable.add(encoding.storable(column));
    }
    String sql =
        """
        INSERT INTO caravan.reject_columns (load_id, columns) VALUES (?, ?)
        ON CONFLICT DO NOTHING""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, origin.loadId());
      insert.setArray(2, connection.createArrayOf("text", storable.toArray()));
      insert.executeUpdate();
    }
  }

  long count() {
    return count;
  }
}
