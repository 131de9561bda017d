package dev.caravan.pgload;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import de.siegmar.fastcsv.writer.QuoteStrategies;
import dev.caravan.record.Reject;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Reads what loads refused, in the order of the lines; never more than a page at a time. */
public final class Rejects {

  /** Of messages and raw texts; one record alone may be longer. */
  private static final int PAGE_BYTES = 1 << 20;

  private static final int CSV_PAGE = 1_000;

  private static final CsvWriter.CsvWriterBuilder CSV =
      CsvWriter.builder().quoteStrategy(QuoteStrategies.ALWAYS).lineDelimiter(LineDelimiter.CRLF);

  /** A spreadsheet takes a cell that begins with one of these for a formula (OWASP). */
  private static final String FORMULA_STARTS = "=+-@\t\r\n＝＋－＠";

  /** Of a row {@code r}; an earlier version wrote it down. */
  private static final String REPLAYED =
      "(r.status = 'replayed' OR EXISTS (SELECT FROM caravan.load l WHERE l.load_id = r.replay))";

  /**
   * One refused record as it is stored.
   *
   * @param line 1-based, of the source
   * @param byteOffset 0-based, of the source; null where it is not known
   * @param column null when it is the record as a whole
   */
  public record StoredReject(
      String file,
      long line,
      Long byteOffset,
      String column,
      String code,
      String message,
      String raw,
      String fixed,
      String status) {}

  /**
   * Some rejects.
   *
   * @param columns of the source, in the order of each record's fields; empty without rejects
   * @param next the line to go on after; null when these are the last ones
   */
  public record Page(List<String> columns, List<StoredReject> rejects, Long next) {}

  private Rejects() {}

  /**
   * The rejects of a load after a line, fewer than {@code limit} where they are long.
   *
   * @param afterLine 0 for the first page
   */
  public static Page list(Connection connection, UUID loadId, long afterLine, int limit)
      throws SQLException {
    return page(connection, loadId, columns(connection, loadId), afterLine, limit);
  }

  private static Page page(
      Connection connection, UUID loadId, List<String> columns, long afterLine, int limit)
      throws SQLException {
    String sql =
        """
        SELECT file, line, byte_offset, column_name, code, message, raw, fixed, found,
          CASE WHEN %s THEN 'replayed' ELSE status END AS status
        FROM (
          SELECT *, count(*) OVER () AS found, row_number() OVER (ORDER BY line) AS place,
            sum(octet_length(message) + octet_length(raw)) OVER (ORDER BY line)
              - octet_length(message) - octet_length(raw) AS bytes_before
          FROM (SELECT * FROM caravan.reject
                WHERE load_id = ? AND line > ? ORDER BY line LIMIT ?) one_more_than_asked) r
        WHERE place <= ? AND bytes_before < ?
        ORDER BY line"""
            .formatted(REPLAYED);
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, loadId);
      query.setLong(2, afterLine);
      query.setLong(3, limit + 1L);
      query.setInt(4, limit);
      query.setInt(5, PAGE_BYTES);
      try (ResultSet row = query.executeQuery()) {
        return page(columns, row);
      }
    }
  }

  private static List<String> columns(Connection connection, UUID loadId) throws SQLException {
    String sql = "SELECT columns FROM caravan.reject_columns WHERE load_id = ?";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, loadId);
      try (ResultSet row = query.executeQuery()) {
        return row.next() ? List.of((String[]) row.getArray(1).getArray()) : List.of();
      }
    }
  }

  private static Page page(List<String> columns, ResultSet row) throws SQLException {
    List<StoredReject> rejects = new ArrayList<>();
    long found = 0;
    while (row.next()) {
      rejects.add(
          new StoredReject(
              row.getString("file"),
              row.getLong("line"),
              row.getObject("byte_offset", Long.class),
              row.getString("column_name"),
              row.getString("code"),
              row.getString("message"),
              row.getString("raw"),
              row.getString("fixed"),
              row.getString("status")));
      found = row.getLong("found");
    }
    boolean more = found > rejects.size();
    return new Page(columns, rejects, more ? rejects.get(rejects.size() - 1).line() : null);
  }

  /**
   * Writes all rejects of a load as CSV (RFC 4180, UTF-8) that is safe to open in a spreadsheet: a
   * cell that would be a formula begins with an apostrophe.
   *
   * @param out stays open
   */
  public static void writeCsv(Connection connection, UUID loadId, OutputStream out)
      throws SQLException, IOException {
    Writer writer = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
    writer.write("file,line,byte_offset,column,code,message,raw,status\r\n");
    CsvWriter csv = CSV.build(writer);
    Long after = 0L;
    while (after != null) {
      Page page = page(connection, loadId, List.of(), after, CSV_PAGE);
      for (StoredReject reject : page.rejects()) {
        write(csv, reject);
      }
      after = page.next();
    }
    csv.flush();
  }

  /**
   * Notes how a refused record should have been, for the next replay.
   *
   * @param fixed as the source would have it, without a line end
   * @return false when there is no such reject, or it was replayed
   */
  public static boolean fix(Connection connection, UUID loadId, long line, String fixed)
      throws SQLException {
    String sql =
        """
        UPDATE caravan.reject r SET fixed = ?, status = 'fixed', replay = NULL
        WHERE load_id = ? AND line = ? AND NOT %s"""
            .formatted(REPLAYED);
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      update.setString(1, fixed);
      update.setObject(2, loadId);
      update.setLong(3, line);
      return update.executeUpdate() == 1;
    }
  }

  /**
   * The records of a load that were fixed and not replayed.
   *
   * @param columns of the source, in its order
   * @param records each as the source would have it
   */
  public record Fixed(List<String> columns, List<String> records) {

    /** A file of them. */
    public String csv(char delimiter) {
      return Reject.csv(columns, delimiter) + "\n" + String.join("\n", records) + "\n";
    }
  }

  /**
   * What a replay loads, at the most 100,000 records. They are those of this replay from now on:
   * whether they are loaded is for the ledger to say, and another attempt gets them again and no
   * others.
   *
   * @param replay the load that they will go with
   */
  public static Fixed fixed(Connection connection, UUID loadId, UUID replay) throws SQLException {
    String take =
        """
        UPDATE caravan.reject SET replay = ? WHERE load_id = ? AND line IN (
            SELECT line FROM caravan.reject r WHERE load_id = ? AND status = 'fixed' AND NOT %s
            ORDER BY line LIMIT 100000)
          AND NOT EXISTS (SELECT FROM caravan.reject WHERE load_id = ? AND replay = ?)"""
            .formatted(REPLAYED);
    String sql = "SELECT fixed FROM caravan.reject WHERE load_id = ? AND replay = ? ORDER BY line";
    List<String> records = new ArrayList<>();
    try (PreparedStatement update = connection.prepareStatement(take);
        PreparedStatement query = connection.prepareStatement(sql)) {
      update.setObject(1, replay);
      update.setObject(2, loadId);
      update.setObject(3, loadId);
      update.setObject(4, loadId);
      update.setObject(5, replay);
      update.executeUpdate();
      query.setObject(1, loadId);
      query.setObject(2, replay);
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          records.add(row.getString("fixed"));
        }
      }
    }
    return new Fixed(columns(connection, loadId), records);
  }

  private static void write(CsvWriter csv, StoredReject reject) {
    csv.writeRecord(
        harmless(reject.file()),
        String.valueOf(reject.line()),
        reject.byteOffset() == null ? null : reject.byteOffset().toString(),
        harmless(reject.column()),
        harmless(reject.code()),
        harmless(reject.message()),
        harmless(reject.raw()),
        harmless(reject.status()));
  }

  private static String harmless(String cell) {
    boolean formula =
        cell != null && !cell.isEmpty() && FORMULA_STARTS.indexOf(cell.charAt(0)) >= 0;
    return formula ? "'" + cell : cell;
  }
}
