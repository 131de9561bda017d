package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What speaks against the configured encoding of a file that can be read in it. Any bytes are text
 * in a single-byte encoding, but not any text makes sense. Looks at records with characters beyond
 * ASCII only, and never at those of UTF-8, which cannot be mistaken.
 */
final class EncodingDoubts {

  private final Charset charset;
  private final boolean isSingleByte;
  private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
  private CharBuffer decoded = CharBuffer.allocate(1 << 10);
  private long controlLine;
  private long utf8Line;
  private boolean isOther;

  EncodingDoubts(CsvFormat format) {
    charset = format.charset();
    isSingleByte =
        format.plausibility() != Plausibility.OFF
            && charset.canEncode()
            && charset.newEncoder().maxBytesPerChar() == 1.0f;
  }

  /** Looks at the current record, which is text. */
  void look(CsvScanner scanner) {
    if (!isSingleByte || !scanner.hasHighBytes() || (isOther && controlLine > 0)) {
      return;
    }
    if (controlLine == 0 && hasControl(scanner)) {
      controlLine = scanner.line();
    }
    if (!isOther) {
      isOther = !isUtf8(scanner);
      utf8Line = utf8Line == 0 ? scanner.line() : utf8Line;
    }
  }

  /** U+0080 to U+009F, which the scanner sees as C2 80 to C2 9F. */
  private static boolean hasControl(CsvScanner scanner) {
    byte[] bytes = scanner.buffer();
    for (int i = scanner.start() + 1; i < scanner.start() + scanner.length(); i++) {
      if (bytes[i] < (byte) 0xA0 && bytes[i - 1] == (byte) 0xC2) {
        return true;
      }
    }
    return false;
  }

  /** True when the bytes of the file are UTF-8 as well. */
  private boolean isUtf8(CsvScanner scanner) {
    String text =
        new String(scanner.buffer(), scanner.start(), scanner.length(), StandardCharsets.UTF_8);
    byte[] source = text.getBytes(charset);
    if (decoded.capacity() < source.length) {
      decoded = CharBuffer.allocate(source.length);
    }
    return utf8.reset().decode(ByteBuffer.wrap(source), decoded.clear(), true).isUnderflow();
  }

  /** What is most likely, once all records were looked at; empty when there is no doubt. */
  Optional<String> found() {
    if (utf8Line > 0 && !isOther) {
      return Optional.of(
          "all characters beyond ASCII, the first of them in line %d, are UTF-8; the file is probably utf-8 and not %s"
              .formatted(utf8Line, charset.name()));
    }
    if (controlLine > 0) {
      return Optional.of(
          "line %d has bytes from 80 to 9F, which are no text in %s; the file is probably cp1252"
              .formatted(controlLine, charset.name()));
    }
    return Optional.empty();
  }

  /**
   * Fails the file if there is a doubt.
   *
   * @throws CaravanException ENCODING
   */
  void refuse() {
    found()
        .ifPresent(
            doubt -> {
              throw new CaravanException(
                  FailureCode.ENCODING,
                  "The encoding is not plausible: %s. Correct the encoding, or set plausibility to warn."
                      .formatted(doubt));
            });
  }
}
