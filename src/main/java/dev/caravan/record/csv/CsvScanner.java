package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.Fields;
import dev.caravan.record.RejectCode;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;

/**
 * Finds records and fields in UTF-8 bytes, in place: no copy and no object per value. It knows
 * where a record ends even when the record is bad, so that the next one can be read.
 */
final class CsvScanner implements Closeable {

  // What a byte means, outside and inside quotes. PLAIN must be 0: it is the test of the inner
  // loop.
  private static final byte PLAIN = 0;
  private static final byte DELIMITER = 1;
  private static final byte QUOTE = 2;
  private static final byte LF = 3;
  private static final byte CR = 4;
  private static final byte ESCAPED = 5;
  private static final byte HIGH = 6;
  private static final byte NUL = 7;

  private final InputStream in;
  private final int maxRecordBytes;
  private final byte[] outside = new byte[256];
  private final byte[] inside;
  private final Fields fields = new Fields();

  private byte[] buffer = new byte[1 << 17];
  private int start;
  private int position;
  private int limit;
  private boolean inputEnded;
  private boolean endsWithLineEnd = true;

  private long bufferOffset;
  private long continuationBytes;
  private long nextLine = 1;

  private long line;
  private int length;
  private boolean highBytes;
  private RejectCode problem;
  private int problemField;

  // the field being scanned
  private int fieldStart;
  private int flags;

  CsvScanner(InputStream in, char delimiter, int maxRecordBytes, long firstOffset) {
    this.in = in;
    this.maxRecordBytes = maxRecordBytes;
    this.bufferOffset = firstOffset;
    Arrays.fill(outside, 128, 256, HIGH);
    outside[0] = NUL;
    outside['\n'] = LF;
    outside['\r'] = CR;
    outside['\\'] = ESCAPED;
    outside['\t'] = ESCAPED;
    inside = outside.clone();
    outside['"'] = QUOTE;
    inside['"'] = QUOTE;
    outside[delimiter] = DELIMITER;
  }

  /** Moves to the next record, which may be an empty line; false at the end. */
  boolean next() throws IOException {
    passRecord();
    if (position == limit && !fill()) {
      return false;
    }
    line = nextLine;
    problem = null;
    problemField = -1;
    highBytes = false;
    fields.clear();
    while (scanField()) {
      // one field after the other, up to the end of the record
    }
    fields.at(buffer, start);
    return true;
  }

  /** Passes one line over, whatever is in it; false when there is none. */
  boolean skipLine() throws IOException {
    passRecord();
    line = nextLine;
    length = 0;
    highBytes = true; // not looked at: the bytes are counted when they are passed
    if (position == limit && !fill()) {
      return false;
    }
    while (position < limit || fill()) {
      if (buffer[position++] == '\n') {
        nextLine++;
        length = position - start;
        return true;
      }
    }
    length = position - start;
    return true;
  }

  private void passRecord() {
    if (highBytes) {
      for (int i = start; i < start + length; i++) {
        continuationBytes += (buffer[i] & 0xC0) == 0x80 ? 1 : 0;
      }
      highBytes = false;
    }
    start = position;
    length = 0;
  }

  /** Scans one field; true when another follows in the record. */
  private boolean scanField() throws IOException {
    fieldStart = position - start;
    flags = 0;
    if ((position < limit || fill()) && buffer[position] == '"') {
      position++;
      return scanQuoted();
    }
    return scanUnquoted();
  }

  private boolean scanUnquoted() throws IOException {
    while (true) {
      byte[] bytes = buffer;
      int p = position;
      int end = limit;
      byte what = PLAIN;
      while (p < end && (what = outside[bytes[p] & 0xFF]) == PLAIN) {
        p++;
      }
      position = p;
      if (p == end) {
        if (fill()) {
          continue;
        }
        return endOfInput();
      }
      position++;
      switch (what) {
        case DELIMITER -> {
          endField(position - 1 - start);
          return true;
        }
        case LF -> {
          return endRecord(position - 1 - start);
        }
        case CR -> {
          if (followedByLf()) {
            return endRecord(position - 2 - start);
          }
          refuse(RejectCode.LINE_ENDING);
        }
        case QUOTE -> refuse(RejectCode.STRAY_QUOTE);
        case NUL -> refuse(RejectCode.NUL_BYTE);
        case HIGH -> highBytes = true;
        default -> flags |= Fields.ESCAPE;
      }
    }
  }

  private boolean scanQuoted() throws IOException {
    long openedIn = nextLine;
    flags = Fields.QUOTED;
    while (true) {
      byte[] bytes = buffer;
      int p = position;
      int end = limit;
      byte what = PLAIN;
      while (p < end && (what = inside[bytes[p] & 0xFF]) == PLAIN) {
        p++;
      }
      position = p;
      if (p == end) {
        if (fill(openedIn)) {
          continue;
        }
        throw unterminatedQuote(openedIn);
      }
      position++;
      switch (what) {
        case QUOTE -> {
          if (position < limit || fill()) {
            if (buffer[position] != '"') {
              return afterClosingQuote();
            }
            position++;
            flags |= Fields.DOUBLED_QUOTES;
          } else {
            return afterClosingQuote();
          }
        }
        case LF -> {
          nextLine++;
          flags |= Fields.ESCAPE;
        }
        case NUL -> refuse(RejectCode.NUL_BYTE);
        case HIGH -> highBytes = true;
        default -> flags |= Fields.ESCAPE;
      }
    }
  }

  /** Stands behind a closing quote: the field must end here. */
  private boolean afterClosingQuote() throws IOException {
    int contentStart = fieldStart + 1;
    int contentEnd = position - 1 - start;
    if (position == limit && !fill()) {
      fields.add(contentStart, contentEnd - contentStart, flags);
      length = position - start;
      endsWithLineEnd = false;
      return false;
    }
    byte what = outside[buffer[position] & 0xFF];
    if (what == DELIMITER) {
      position++;
      fields.add(contentStart, contentEnd - contentStart, flags);
      return true;
    }
    if (what == LF || what == CR) {
      position++;
      if (what == LF || followedByLf()) {
        fields.add(contentStart, contentEnd - contentStart, flags);
        length = contentEnd + 1;
        nextLine++;
        return false;
      }
      refuse(RejectCode.LINE_ENDING);
    } else {
      refuse(RejectCode.STRAY_QUOTE);
    }
    return scanUnquoted(); // the record is refused; only its end is looked for
  }

  private boolean followedByLf() throws IOException {
    if ((position < limit || fill()) && buffer[position] == '\n') {
      position++;
      return true;
    }
    return position == limit && inputEnded && atEndAfterCr();
  }

  /** A file whose last byte is a CR: the LF of a CRLF was cut off; the record itself is whole. */
  private boolean atEndAfterCr() {
    endsWithLineEnd = false;
    position++; // as if the LF were there, so that the callers' arithmetic holds
    limit++;
    return true;
  }

  private void endField(int end) {
    int size = end - fieldStart;
    fields.add(fieldStart, size, size == 0 ? flags | Fields.NULL : flags);
  }

  private boolean endRecord(int end) {
    endField(end);
    length = end;
    nextLine++;
    return false;
  }

  private boolean endOfInput() {
    int end = position - start;
    endField(end);
    length = end;
    endsWithLineEnd = false;
    return false;
  }

  private void refuse(RejectCode code) {
    if (problem == null) {
      problem = code;
      problemField = fields.count();
    }
  }

  private boolean fill() throws IOException {
    return fill(-1);
  }

  /** Reads more bytes behind {@link #limit}; moves the current record to the front when needed. */
  private boolean fill(long quoteOpenedIn) throws IOException {
    if (inputEnded) {
      return false;
    }
    if (limit - start > maxRecordBytes) {
      throw quoteOpenedIn >= 0 ? unterminatedQuote(quoteOpenedIn) : rowTooLarge();
    }
    if (start > 0) {
      System.arraycopy(buffer, start, buffer, 0, limit - start);
      bufferOffset += start;
      position -= start;
      limit -= start;
      start = 0;
    }
    // One byte stays free for atEndAfterCr.
    if (buffer.length - limit < buffer.length / 4) {
      buffer = Arrays.copyOf(buffer, buffer.length * 2);
    }
    int n = in.read(buffer, limit, buffer.length - limit - 1);
    if (n < 0) {
      inputEnded = true;
      return false;
    }
    limit += n;
    return n > 0 || fill(quoteOpenedIn);
  }

  private CaravanException rowTooLarge() {
    if (problem == RejectCode.LINE_ENDING) {
      return loneCarriageReturn(line);
    }
    return new CaravanException(
        FailureCode.ROW_TOO_LARGE,
        "The record that starts in line %d is larger than %d bytes; the file has lost its line ends."
            .formatted(line, maxRecordBytes));
  }

  static CaravanException loneCarriageReturn(long line) {
    return new CaravanException(
        FailureCode.LINE_ENDING,
        "Line " + line + " holds a carriage return alone; lines must end with LF or CRLF.");
  }

  private CaravanException unterminatedQuote(long openedIn) {
    return new CaravanException(
        FailureCode.UNTERMINATED_QUOTE,
        "The quote opened in line %d, field %d, is not closed%s."
            .formatted(
                openedIn,
                fields.count() + 1,
                inputEnded
                    ? " before the end of the file"
                    : " within " + maxRecordBytes + " bytes"));
  }

  /** Turns unquoted values that are one of the words into NULL. */
  void markNulls(List<byte[]> words) {
    for (int i = 0; i < fields.count(); i++) {
      if (fields.flags(i) == 0 || fields.flags(i) == Fields.ESCAPE) {
        for (byte[] word : words) {
          if (Arrays.equals(
              word, 0, word.length, buffer, fields.start(i), fields.start(i) + fields.length(i))) {
            fields.setNull(i);
          }
        }
      }
    }
  }

  /** The field that the record's byte {@code at} belongs to. */
  int fieldAt(int at) {
    int field = 0;
    int last = Math.min(fields.count(), CsvHeader.MAX_COLUMNS);
    for (int i = 0; i < last && fields.start(i) - start <= at; i++) {
      field = i;
    }
    return field;
  }

  /** True when these bytes stand in the record, from its byte {@code at} on. */
  boolean startsWith(byte[] bytes, int at) {
    return length >= at + bytes.length
        && Arrays.equals(bytes, 0, bytes.length, buffer, start + at, start + at + bytes.length);
  }

  /** True when the record is white space only; delimiters are none. */
  boolean isBlank() {
    for (int i = start; i < start + length; i++) {
      byte b = buffer[i];
      if ((b != ' ' && b != '\t') || outside[b] == DELIMITER) {
        return false;
      }
    }
    return true;
  }

  Fields fields() {
    return fields;
  }

  byte[] buffer() {
    return buffer;
  }

  /** Index of the record's first byte in {@link #buffer()}. */
  int start() {
    return start;
  }

  /** Bytes of the record without its line end. */
  int length() {
    return length;
  }

  int byteAt(int at) {
    return buffer[start + at] & 0xFF;
  }

  /** 1-based line where the record starts. */
  long line() {
    return line;
  }

  /** Offset of the record's first byte in the UTF-8 text. */
  long offset() {
    return bufferOffset + start;
  }

  /** How many of the bytes before the record continue a character. */
  long continuationBytesBefore() {
    return continuationBytes;
  }

  boolean hasHighBytes() {
    return highBytes;
  }

  /** Why the record is bad; null when it is not. */
  RejectCode problem() {
    return problem;
  }

  /** 0-based field at fault; -1 when there is no problem. */
  int problemField() {
    return problemField;
  }

  boolean endsWithLineEnd() {
    return endsWithLineEnd;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
