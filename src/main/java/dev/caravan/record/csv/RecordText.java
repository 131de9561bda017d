package dev.caravan.record.csv;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/** The current record as text, and its place in the source. */
final class RecordText {

  private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
  private final CharBuffer scratch = CharBuffer.allocate(1 << 13);
  private final boolean sourceIsUtf8;
  private final boolean sourceIsSingleByte;

  RecordText(Charset charset) {
    sourceIsUtf8 = charset.equals(StandardCharsets.UTF_8);
    sourceIsSingleByte = charset.canEncode() && charset.newEncoder().maxBytesPerChar() == 1.0f;
  }

  /** Where in the record the first byte stands that is not UTF-8; -1 when all is text. */
  int undecodable(CsvScanner scanner) {
    ByteBuffer in = ByteBuffer.wrap(scanner.buffer(), scanner.start(), scanner.length());
    utf8.reset();
    while (true) {
      CoderResult result = utf8.decode(in, scratch.clear(), true);
      if (result.isError()) {
        return in.position() - scanner.start();
      }
      if (result.isUnderflow()) {
        return -1;
      }
    }
  }

  /** The record without its line end; bytes that are not text, and NUL, as {@code \xHH}. */
  String raw(CsvScanner scanner) {
    ByteBuffer in = ByteBuffer.wrap(scanner.buffer(), scanner.start(), scanner.length());
    StringBuilder out = new StringBuilder(scanner.length());
    utf8.reset();
    while (true) {
      CoderResult result = utf8.decode(in, scratch.clear(), true);
      out.append(scratch.flip());
      if (result.isError()) {
        for (int i = 0; i < result.length(); i++) {
          out.append("\\x%02X".formatted(in.get()));
        }
      } else if (result.isUnderflow()) {
        return out.indexOf("\0") < 0 ? out.toString() : out.toString().replace("\0", "\\x00");
      }
    }
  }

  /**
   * The record's first byte in the source. The scanner sees UTF-8: in a single-byte encoding each
   * character was one byte; for other encodings the place is not known: -1.
   */
  long sourceOffset(CsvScanner scanner) {
    if (sourceIsUtf8) {
      return scanner.offset();
    }
    return sourceIsSingleByte ? scanner.offset() - scanner.continuationBytesBefore() : -1;
  }
}
