package dev.caravan.pgload;

import dev.caravan.record.Fields;
import dev.caravan.record.RecordStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.Arrays;
import java.util.Optional;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Writes records to COPY ... FROM STDIN in the text format (PostgreSQL manual, COPY, "Text
 * Format"): the line number, then the fields. A value without special bytes is copied as it lies.
 */
final class CopyRows {

  /** Rows are sent in chunks of about this size. */
  private static final int CHUNK_BYTES = 1 << 16;

  /** Smaller sources are not worth a second connection. */
  private static final long SECOND_STREAM_FROM = 8L << 20;

  private final Connection connection;
  private final ColumnPlan plan;
  private final String sql;
  private final boolean withLine;
  private final int[] selected;
  private final RowSize size;
  private final Optional<DataSource> second;
  private final LoadOrigin origin;
  private byte[] buffer = new byte[2 * CHUNK_BYTES];
  private int used;
  private CopyIn copy;
  private Late late;
  private SecondStream secondStream;
  private long sent;
  private long rows;

  /** Rows that may be too large for a new table, staged one by one. */
  private record Late(Staging staging, CopyRows copy) {}

  private CopyRows(
      Connection connection,
      ColumnPlan plan,
      String sql,
      boolean withLine,
      Optional<DataSource> second,
      LoadOrigin origin) {
    this.connection = connection;
    this.plan = plan;
    this.sql = sql;
    this.withLine = withLine;
    this.size = new RowSize(plan, withLine);
    this.second = second;
    this.origin = origin;
    this.selected = plan.fields().stream().mapToInt(Integer::intValue).toArray();
  }

  static String sql(String into, String options) {
    return "COPY %s FROM STDIN (FORMAT text, ENCODING 'UTF8'%s)".formatted(into, options);
  }

  /**
   * To the staging table: the line number, then the fields.
   *
   * @param second where a large load gets a second connection from
   */
  static CopyRows toStaging(
      Connection connection, ColumnPlan plan, Optional<DataSource> second, LoadOrigin origin) {
    return new CopyRows(connection, plan, sql(Staging.OWN, ""), true, second, origin);
  }

  /**
   * To a table created in this transaction, which nobody else can see: its rows are written as
   * frozen, so that no vacuum has to write them once more.
   */
  static CopyRows toNewTable(Connection connection, TableName table, ColumnPlan plan) {
    String into = table.sql() + " (" + Identifier.list(plan.names()) + ")";
    return new CopyRows(connection, plan, sql(into, ", FREEZE"), false, Optional.empty(), null);
  }

  /**
   * Adds the record that the source is at, unless its row fits no page.
   *
   * @return whether it fits
   */
  boolean add(RecordStream records) throws SQLException {
    if (size.mayBeTooLarge(records.fields())) {
      pause();
      return withLine ? stageAlone(records) : late(records).copy().stageAlone(records);
    }
    put(records.line(), records.fields());
    if (used >= CHUNK_BYTES) {
      send();
    }
    return true;
  }

  private boolean stageAlone(RecordStream records) throws SQLException {
    Savepoint before = connection.setSavepoint();
    try {
      put(records.line(), records.fields());
      pause();
      connection.releaseSavepoint(before);
      return true;
    } catch (SQLException e) {
      if (!SqlFailure.isTooLarge(e.getSQLState())) {
        throw e;
      }
      copy = null;
      connection.rollback(before);
      connection.releaseSavepoint(before); // COPY with FREEZE goes on outside of it only
      return false;
    }
  }

  private Late late(RecordStream records) throws SQLException {
    if (late == null) {
      late =
          new Late(
              Staging.create(connection, plan, records),
              toStaging(connection, plan, Optional.empty(), origin));
    }
    return late;
  }

  /** The rows for a new table that may be too large for it; they are yet to be merged. */
  Optional<Staging> staged() {
    return Optional.ofNullable(late).map(Late::staging);
  }

  /** How many those are. */
  long stagedRows() {
    return late == null ? 0 : late.copy().rows();
  }

  private void put(long line, Fields fields) {
    if (withLine) {
      putNumber(line);
    }
    byte[] bytes = fields.bytes();
    for (int column = 0; column < selected.length; column++) {
      int i = selected[column];
      int flags = fields.flags(i);
      int length = fields.length(i);
      ensure(2 * length + 4); // every byte escaped, a tab, \N, a line end
      if (column > 0 || withLine) {
        buffer[used++] = '\t';
      }
      if ((flags & Fields.NULL) != 0) {
        buffer[used++] = '\\';
        buffer[used++] = 'N';
      } else if ((flags & (Fields.ESCAPE | Fields.DOUBLED_QUOTES)) != 0) {
        putEscaped(bytes, fields.start(i), length, (flags & Fields.DOUBLED_QUOTES) != 0);
      } else {
        System.arraycopy(bytes, fields.start(i), buffer, used, length);
        used += length;
      }
    }
    buffer[used++] = '\n';
  }

  private void ensure(int more) {
    if (more > buffer.length - used) {
      buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, used + more));
    }
  }

  private void putNumber(long number) {
    byte[] digits = Long.toString(number).getBytes(StandardCharsets.ISO_8859_1);
    ensure(digits.length);
    System.arraycopy(digits, 0, buffer, used, digits.length);
    used += digits.length;
  }

  private void putEscaped(byte[] bytes, int start, int length, boolean doubledQuotes) {
    for (int i = start, end = start + length; i < end; i++) {
      byte b = bytes[i];
      switch (b) {
        case '\\' -> putEscape('\\');
        case '\t' -> putEscape('t');
        case '\n' -> putEscape('n');
        case '\r' -> putEscape('r');
        default -> buffer[used++] = b;
      }
      if (b == '"' && doubledQuotes) {
        i++; // the second of the two
      }
    }
  }

  private void putEscape(char letter) {
    buffer[used++] = '\\';
    buffer[used++] = (byte) letter;
  }

  /** Sends whole rows: to the second stream while that keeps up, or else itself. */
  private void send() throws SQLException {
    sent += used;
    if (secondStream == null && second.isPresent() && sent >= SECOND_STREAM_FROM) {
      secondStream = SecondStream.start(second.get(), origin, plan);
    }
    Optional<byte[]> next =
        secondStream == null ? Optional.empty() : secondStream.offer(buffer, used);
    if (next.isEmpty()) {
      write();
    }
    byte[] free = next.orElse(buffer);
    buffer = free.length > 4 * CHUNK_BYTES ? new byte[2 * CHUNK_BYTES] : free;
    used = 0;
  }

  /** Starts a COPY when none runs. */
  private void write() throws SQLException {
    if (used > 0) {
      if (copy == null) {
        copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql);
      }
      copy.writeToCopy(buffer, 0, used);
      used = 0;
    }
  }

  /** Ends the COPY that runs, if any, so that the connection can do something else. */
  void pause() throws SQLException {
    write();
    if (copy != null) {
      rows += copy.endCopy();
      copy = null;
    }
  }

  /** Ends everything; true when some rows are in the table of the second stream. */
  boolean finish() throws SQLException {
    pause();
    if (secondStream == null) {
      return false;
    }
    long theirs = secondStream.finish();
    rows += theirs;
    return theirs > 0;
  }

  /** Gives up: the connection leaves COPY and its transaction is failed. */
  void cancel() throws SQLException {
    if (secondStream != null) {
      secondStream.cancel();
    }
    if (late != null) {
      late.copy().cancel();
    }
    if (copy != null && copy.isActive()) {
      copy.cancelCopy();
    }
    copy = null;
  }

  /** Whether a second stream was begun, so that its table may be there. */
  boolean isParallel() {
    return secondStream != null;
  }

  /** Rows that PostgreSQL has confirmed. */
  long rows() {
    return rows + stagedRows();
  }
}
