package dev.caravan.pgload;

import dev.caravan.record.Fields;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Writes records to COPY ... FROM STDIN in the text format (PostgreSQL manual, COPY, "Text
 * Format"): the line number, then the fields. A value without special bytes is copied as it lies.
 */
final class CopyRows {

  private static final int BUFFER_BYTES = 1 << 16;

  private final Connection connection;
  private final String sql;
  private final boolean withLine;
  private final int[] selected;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int used;
  private CopyIn copy;
  private long rows;

  private CopyRows(
      Connection connection, String into, ColumnPlan plan, boolean withLine, String options) {
    this.connection = connection;
    this.withLine = withLine;
    this.selected = plan.fields().stream().mapToInt(Integer::intValue).toArray();
    this.sql = "COPY %s FROM STDIN (FORMAT text, ENCODING 'UTF8'%s)".formatted(into, options);
  }

  /** To the staging table: the line number, then the fields. */
  static CopyRows toStaging(Connection connection, ColumnPlan plan) {
    return new CopyRows(connection, Staging.TABLE, plan, true, "");
  }

  /**
   * To a table created in this transaction, which nobody else can see: its rows are written as
   * frozen, so that no vacuum has to write them once more.
   */
  static CopyRows toNewTable(Connection connection, TableName table, ColumnPlan plan) {
    String into = table.sql() + " (" + Identifier.list(plan.names()) + ")";
    return new CopyRows(connection, into, plan, false, ", FREEZE");
  }

  /** Adds one row; starts a COPY when none runs. */
  void add(long line, Fields fields) throws SQLException {
    if (copy == null) {
      copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql);
    }
    if (withLine) {
      putNumber(line);
    }
    byte[] bytes = fields.bytes();
    for (int column = 0; column < selected.length; column++) {
      int i = selected[column];
      int flags = fields.flags(i);
      int length = fields.length(i);
      if (used + length + 3 > BUFFER_BYTES) {
        flush();
      }
      if (column > 0 || withLine) {
        buffer[used++] = '\t';
      }
      if ((flags & Fields.NULL) != 0) {
        buffer[used++] = '\\';
        buffer[used++] = 'N';
      } else if ((flags & (Fields.ESCAPE | Fields.DOUBLED_QUOTES)) != 0) {
        putEscaped(bytes, fields.start(i), length, (flags & Fields.DOUBLED_QUOTES) != 0);
      } else {
        putPlain(bytes, fields.start(i), length);
      }
    }
    if (used == BUFFER_BYTES) {
      flush();
    }
    buffer[used++] = '\n';
  }

  private void putNumber(long number) throws SQLException {
    byte[] digits = Long.toString(number).getBytes(StandardCharsets.ISO_8859_1);
    putPlain(digits, 0, digits.length);
  }

  private void putPlain(byte[] bytes, int start, int length) throws SQLException {
    if (length > BUFFER_BYTES - used) {
      flush();
      if (length > BUFFER_BYTES) {
        copy.writeToCopy(bytes, start, length);
        return;
      }
    }
    System.arraycopy(bytes, start, buffer, used, length);
    used += length;
  }

  private void putEscaped(byte[] bytes, int start, int length, boolean doubledQuotes)
      throws SQLException {
    for (int i = start, end = start + length; i < end; i++) {
      if (used + 2 > BUFFER_BYTES) {
        flush();
      }
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

  private void flush() throws SQLException {
    copy.writeToCopy(buffer, 0, used);
    used = 0;
  }

  /** Ends the COPY that runs, if any, so that the connection can do something else. */
  void pause() throws SQLException {
    if (copy != null) {
      flush();
      rows += copy.endCopy();
      copy = null;
    }
  }

  /** Gives up: the connection leaves COPY and its transaction is failed. */
  void cancel() throws SQLException {
    if (copy != null && copy.isActive()) {
      copy.cancelCopy();
    }
    copy = null;
  }

  /** Rows that PostgreSQL has confirmed. */
  long rows() {
    return rows;
  }
}
