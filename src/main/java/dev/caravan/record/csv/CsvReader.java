package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.Fields;
import dev.caravan.record.RecordStream;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the records of a CSV file in one pass and in constant memory: its buffer holds one record,
 * {@link CsvFormat#maxRecordBytes()} at most. A bad record is refused with its place and the next
 * one is read; a file that cannot be read as CSV at all is a {@link CaravanException}.
 */
public final class CsvReader implements RecordStream {

  /** How many bytes tell what a file is. */
  private static final int LOOKED_AT = 4_096;

  private static final Pattern DELIMITER_LINE =
      Pattern.compile("sep=(.)\\r?\\n", Pattern.CASE_INSENSITIVE);

  private static final byte[] MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

  private final CsvScanner scanner;
  private final CsvFormat format;
  private final RecordText text;
  private final List<String> columns;
  private final boolean trailingDelimiter;
  private final String headerHint;
  private final List<byte[]> nullWords;
  private final EncodingDoubts doubts;
  private final byte[] headerBytes;
  private long dataRecords;
  private long blankLines;
  private long firstBlankLine;
  private boolean trailerSeen;
  private Reject reject;
  private Step ahead;

  private CsvReader(CsvScanner scanner, CsvFormat format) throws IOException {
    this.scanner = scanner;
    this.format = format;
    this.text = new RecordText(format.charset());
    this.nullWords =
        format.nullWords().stream().map(w -> w.getBytes(StandardCharsets.UTF_8)).toList();
    this.doubts = new EncodingDoubts(format);
    skipLines();
    List<String> names = header();
    this.headerBytes =
        Arrays.copyOfRange(scanner.buffer(), scanner.start(), scanner.start() + scanner.length());
    this.headerHint = CsvHeader.delimiterHint(names, format.delimiter());
    this.trailingDelimiter = names.size() > 1 && names.get(names.size() - 1).isEmpty();
    this.columns = CsvHeader.check(trailingDelimiter ? names.subList(0, names.size() - 1) : names);
  }

  /**
   * Reads the header and stands before the first record.
   *
   * @param in the bytes of the file; closed with the reader
   * @throws CaravanException EMPTY_FILE, ENCODING, LINE_ENDING or what is wrong with the header;
   *     NOT_CSV or ARCHIVE when the content is of another kind
   */
  public static CsvReader open(InputStream in, CsvFormat format) throws IOException {
    byte[] head = in.readNBytes(LOOKED_AT);
    ForeignContent.refuseSignatures(head);
    TextStart start = TextStart.of(head, format.charset());
    String text = start.text(head);
    ForeignContent.refuseMarkup(text, format.skipLines() == 0);
    PushbackInputStream bytes = new PushbackInputStream(in, LOOKED_AT);
    bytes.unread(head, start.markBytes(), head.length - start.markBytes());
    InputStream utf8 = start.isUtf8() ? bytes : new Utf8InputStream(bytes, start.charset());
    return new CsvReader(
        new CsvScanner(utf8, format.delimiter(), format.maxRecordBytes(), start.markBytes()),
        withoutDelimiterLine(text, format));
  }

  /** Excel takes a first line {@code sep=;} for the delimiter, and some programs write it. */
  private static CsvFormat withoutDelimiterLine(String text, CsvFormat format) {
    Matcher line = DELIMITER_LINE.matcher(text);
    if (format.skipLines() > 0
        || !line.lookingAt()
        || !CsvFormat.isDelimiter(line.group(1).charAt(0))) {
      return format;
    }
    char named = line.group(1).charAt(0);
    if (named != format.delimiter()) {
      throw new CaravanException(
          FailureCode.HEADER_MISMATCH,
          "The first line of the file says that its delimiter is %s; configured is %s."
              .formatted(CsvHeader.shown(named), CsvHeader.shown(format.delimiter())));
    }
    return format.withSkipLines(1);
  }

  private void skipLines() throws IOException {
    for (long i = 0; i < format.skipLines(); i++) {
      if (!scanner.skipLine()) {
        throw emptyFile("has " + i + " lines; " + format.skipLines() + " are to be skipped");
      }
    }
  }

  private List<String> header() throws IOException {
    if (!nextNonBlank()) {
      throw emptyFile("has no header line");
    }
    if (scanner.problem() == RejectCode.LINE_ENDING) {
      throw CsvScanner.loneCarriageReturn(scanner.line());
    }
    if (scanner.problem() == RejectCode.NUL_BYTE) {
      throw new CaravanException(
          FailureCode.BAD_NAME, "The header in line " + scanner.line() + " holds a NUL byte.");
    }
    if (scanner.hasHighBytes() && text.undecodable(scanner) >= 0) {
      throw new CaravanException(
          FailureCode.ENCODING,
          "The header in line %d is not text in %s: %s"
              .formatted(scanner.line(), format.charset().name(), text.raw(scanner)));
    }
    if (scanner.problem() != null) {
      throw new CaravanException(
          FailureCode.HEADER_MISMATCH,
          "The header in line %d cannot be read (%s): %s"
              .formatted(scanner.line(), scanner.problem(), text.raw(scanner)));
    }
    doubts.look(scanner);
    List<String> names = new ArrayList<>();
    CsvHeader.checkCount(scanner.fields().count());
    for (int i = 0; i < scanner.fields().count(); i++) {
      String name = scanner.fields().text(i);
      names.add(name == null ? "" : name.strip());
    }
    return names;
  }

  private static CaravanException emptyFile(String what) {
    return new CaravanException(FailureCode.EMPTY_FILE, "The file " + what + ".");
  }

  private boolean nextNonBlank() throws IOException {
    while (scanner.next()) {
      if (scanner.length() > 0) {
        return true;
      }
      if (blankLines++ == 0) {
        firstBlankLine = scanner.line();
      }
    }
    return false;
  }

  @Override
  public List<String> columns() {
    return columns;
  }

  @Override
  public char delimiter() {
    return format.delimiter();
  }

  /** True when there is a record, be it a refused one; asked before the first {@link #next()}. */
  public boolean hasRecords() throws IOException {
    ahead = read();
    return ahead != Step.END;
  }

  @Override
  public Step next() throws IOException {
    Step first = ahead;
    ahead = null;
    return first == null ? read() : first;
  }

  private Step read() throws IOException {
    if (!nextNonBlank()) {
      if (format.trailer().isPresent() && !trailerSeen) {
        throw new CaravanException(
            FailureCode.SOURCE_INCOMPLETE,
            "The file ends in line %d without its trailer '%s': it is not complete."
                .formatted(scanner.line(), format.trailer().get()));
      }
      if (format.plausibility() == Plausibility.REFUSE) {
        doubts.refuse();
      }
      return Step.END;
    }
    if (trailerSeen) {
      throw new CaravanException(
          FailureCode.TRAILER_COUNT, "Line " + scanner.line() + " follows the trailer.");
    }
    if (isTrailer()) {
      checkTrailer();
      return read();
    }
    dataRecords++;
    reject = check();
    return reject == null ? Step.RECORD : Step.REJECT;
  }

  private boolean isTrailer() {
    return format.trailer().isPresent() && format.trailer().get().equals(scanner.fields().text(0));
  }

  private void checkTrailer() {
    trailerSeen = true;
    String count = scanner.fields().count() > 1 ? scanner.fields().text(1) : null;
    if (count == null
        || !count.strip().matches("[0-9]{1,18}")
        || Long.parseLong(count.strip()) != dataRecords) {
      throw new CaravanException(
          FailureCode.TRAILER_COUNT,
          "The trailer in line %d announces %s data records; the file has %d."
              .formatted(scanner.line(), count == null ? "no" : "'" + count + "'", dataRecords));
    }
  }

  private Reject check() {
    Fields fields = scanner.fields();
    if (scanner.isBlank()) {
      return rejectCurrent(-1, RejectCode.BLANK_LINE, "The line holds nothing but white space.");
    }
    if (scanner.problem() != null) {
      return rejectCurrent(scanner.problemField(), scanner.problem(), message(scanner.problem()));
    }
    if (scanner.hasHighBytes()) {
      int at = text.undecodable(scanner);
      if (at >= 0) {
        return undecodable(at);
      }
      doubts.look(scanner);
    }
    Reject again = checkBeginning();
    if (again != null) {
      return again;
    }
    int expected = columns.size() + (trailingDelimiter ? 1 : 0);
    if (fields.count() != expected || (trailingDelimiter && !fields.isNull(expected - 1))) {
      return rejectCurrent(
          -1,
          RejectCode.COLUMN_COUNT,
          "The record has %d fields; the header has %d%s."
              .formatted(
                  fields.count(),
                  expected,
                  trailingDelimiter ? ", the last of them empty as in each record" : ""));
    }
    if (trailingDelimiter) {
      fields.dropLast();
    }
    return checkFields(fields);
  }

  /** Files that were put together bring their beginnings along: header, mark, or both. */
  private Reject checkBeginning() {
    int markBytes = scanner.hasHighBytes() && scanner.startsWith(MARK, 0) ? MARK.length : 0;
    boolean header =
        scanner.length() == markBytes + headerBytes.length
            && scanner.startsWith(headerBytes, markBytes);
    if ((!header && markBytes == 0) || format.plausibility() == Plausibility.OFF) {
      return null;
    }
    String what =
        header ? "The record is the header again" : "A byte order mark stands before the record";
    if (format.plausibility() == Plausibility.REFUSE) {
      throw new CaravanException(
          FailureCode.ROWS_REJECTED,
          "Line %d: %s; the file is several files put together. Load them one by one, or set plausibility to warn."
              .formatted(scanner.line(), what));
    }
    return rejectCurrent(
        header ? -1 : 0,
        header ? RejectCode.REPEATED_HEADER : RejectCode.BYTE_ORDER_MARK,
        what + "; the file is several files put together.");
  }

  private Reject checkFields(Fields fields) {
    if (scanner.length() > format.maxFieldBytes()) {
      for (int i = 0; i < fields.count(); i++) {
        if (fields.length(i) > format.maxFieldBytes()) {
          return rejectCurrent(
              i,
              RejectCode.FIELD_TOO_LARGE,
              "The field has %d bytes; allowed are %d."
                  .formatted(fields.length(i), format.maxFieldBytes()));
        }
      }
    }
    if (!nullWords.isEmpty()) {
      scanner.markNulls(nullWords);
    }
    return null;
  }

  private Reject undecodable(int at) {
    int field = scanner.fieldAt(at);
    Charset charset = format.charset();
    String place =
        charset.equals(StandardCharsets.UTF_8)
            ? " at byte " + (scanner.offset() + at) + " (%02X)".formatted(scanner.byteAt(at))
            : "";
    return rejectCurrent(
        field, RejectCode.ENCODING, "The record is not text in " + charset.name() + place + ".");
  }

  private String message(RejectCode code) {
    return switch (code) {
      case STRAY_QUOTE ->
          "A quote stands inside the field; a field with quotes is quoted and its quotes doubled.";
      case LINE_ENDING -> "A carriage return stands alone; lines end with LF or CRLF.";
      case NUL_BYTE -> "The field holds a NUL byte, which PostgreSQL text cannot hold.";
      default -> throw new IllegalStateException(code.name());
    };
  }

  @Override
  public Fields fields() {
    return scanner.fields();
  }

  @Override
  public Reject reject() {
    return reject;
  }

  @Override
  public Reject rejectCurrent(int column, RejectCode code, String message) {
    return new Reject(
        scanner.line(),
        text.sourceOffset(scanner),
        column < 0 || column >= columns.size() ? null : columns.get(column),
        code,
        message,
        text.raw(scanner));
  }

  @Override
  public long line() {
    return scanner.line();
  }

  @Override
  public List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    if (dataRecords == 0) {
      warnings.add("NO_RECORDS: the file has a header and no records");
    }
    if (!scanner.endsWithLineEnd()) {
      warnings.add("NO_FINAL_NEWLINE: the last line has no line end");
    }
    if (blankLines > 0) {
      warnings.add(
          "EMPTY_LINES: %d empty lines, the first of them line %d, were passed over"
              .formatted(blankLines, firstBlankLine));
    }
    doubts.found().ifPresent(doubt -> warnings.add("ENCODING_DOUBTFUL: " + doubt));
    return warnings;
  }

  @Override
  public String headerHint() {
    return headerHint;
  }

  @Override
  public void close() throws IOException {
    scanner.close();
  }
}
