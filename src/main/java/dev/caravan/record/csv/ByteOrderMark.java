package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.PushbackInputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** The mark that some programs write before the first byte of text. */
final class ByteOrderMark {

  private ByteOrderMark() {}

  /**
   * Takes a UTF-8 mark away. A mark of another encoding than the configured one fails the file:
   * reading on would fill the table with wrong characters.
   *
   * @return how many bytes were taken
   */
  static int skip(PushbackInputStream in, Charset charset) throws IOException {
    byte[] first = new byte[3];
    int n = in.readNBytes(first, 0, 3);
    String found = mark(first, n);
    if (found.equals("UTF-8") && charset.equals(StandardCharsets.UTF_8)) {
      return 3;
    }
    if (!found.isEmpty() && !charset.name().startsWith(found)) {
      throw new CaravanException(
          FailureCode.ENCODING,
          "The file starts with a byte order mark of %s, but its encoding is configured as %s."
              .formatted(found, charset.name()));
    }
    in.unread(first, 0, n);
    return 0;
  }

  private static String mark(byte[] b, int n) {
    if (n == 3 && b[0] == (byte) 0xEF && b[1] == (byte) 0xBB && b[2] == (byte) 0xBF) {
      return "UTF-8";
    }
    boolean utf16 = n >= 2 && (isPair(b, 0xFF, 0xFE) || isPair(b, 0xFE, 0xFF));
    return utf16 ? "UTF-16" : "";
  }

  private static boolean isPair(byte[] b, int first, int second) {
    return b[0] == (byte) first && b[1] == (byte) second;
  }
}
