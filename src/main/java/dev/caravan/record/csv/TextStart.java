package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The encoding of a file by its first bytes: the mark that some programs write there, and the order
 * of the bytes of UTF-16 and UTF-32 where there is none. What contradicts the configured encoding
 * fails the file: reading on would fill the table with wrong characters, or with nothing.
 *
 * @param charset with its byte order
 * @param markBytes how many bytes the mark has
 */
record TextStart(Charset charset, int markBytes) {

  /** Bytes at the very beginning, one char each. */
  private record Mark(String encoding, String bytes) {
    boolean begins(byte[] head) {
      return new String(head, 0, Math.min(head.length, 4), StandardCharsets.ISO_8859_1)
          .startsWith(bytes);
    }
  }

  /** The longer first: the mark of UTF-32LE begins with that of UTF-16LE. */
  private static final List<Mark> MARKS =
      List.of(
          new Mark("UTF-32BE", "\0\0\u00FE\u00FF"),
          new Mark("UTF-32LE", "\u00FF\u00FE\0\0"),
          new Mark("UTF-8", "\u00EF\u00BB\u00BF"),
          new Mark("UTF-16BE", "\u00FE\u00FF"),
          new Mark("UTF-16LE", "\u00FF\u00FE"));

  private static final Mark GB18030 = new Mark("GB18030", "\u00841\u00953");

  /**
   * Encodings whose characters have two or four bytes each; of the longer the shorter is a part.
   */
  private static final List<String> WIDE = List.of("UTF-32LE", "UTF-32BE", "UTF-16LE", "UTF-16BE");

  /**
   * Looks at the first bytes.
   *
   * @throws CaravanException ENCODING when they contradict the configured encoding
   */
  static TextStart of(byte[] head, Charset configured) {
    String encoding = encoding(configured);
    if (encoding.equals(GB18030.encoding()) && GB18030.begins(head)) {
      return new TextStart(configured, GB18030.bytes().length());
    }
    for (Mark mark : MARKS) {
      if (mark.begins(head)) {
        return marked(mark, encoding, configured);
      }
    }
    for (String wide : WIDE) {
      boolean other = width(encoding) != width(wide);
      if (other && asciiUnits(head, wide) * 2 > head.length / width(wide)) {
        throw new CaravanException(
            FailureCode.ENCODING,
            "The file looks like %s without a byte order mark, but its encoding is configured as %s. Set its encoding to %s."
                .formatted(wide, configured.name(), wide));
      }
    }
    return new TextStart(
        width(encoding) == 1 ? configured : ordered(head, encoding, configured), 0);
  }

  private static TextStart marked(Mark mark, String encoding, Charset configured) {
    boolean same = mark.encoding().startsWith(encoding);
    boolean cesu = encoding.equals("CESU-8") && mark.encoding().equals("UTF-8");
    if (!same && !cesu) {
      throw new CaravanException(
          FailureCode.ENCODING,
          "The file starts with a byte order mark of %s, but its encoding is configured as %s. Set its encoding to %s."
              .formatted(mark.encoding(), configured.name(), mark.encoding()));
    }
    return new TextStart(
        cesu ? configured : Charset.forName(mark.encoding()), mark.bytes().length());
  }

  /** Java's name without what it adds for encodings that write a mark. */
  private static String encoding(Charset charset) {
    return charset.name().replaceFirst("^[xX]-", "").replaceFirst("-BOM$", "");
  }

  /** The byte order that gives plain characters; line ends and delimiters are such. */
  private static Charset ordered(byte[] head, String encoding, Charset configured) {
    String family = encoding.substring(0, "UTF-16".length());
    int little = asciiUnits(head, family + "LE");
    int big = asciiUnits(head, family + "BE");
    String found = family + (little > big ? "LE" : "BE");
    if (head.length > 0 && little == big) {
      throw new CaravanException(
          FailureCode.ENCODING,
          "The file is not text in %s, its configured encoding: it has no byte order mark, and no line end or other plain character of %s in its first %d bytes."
              .formatted(configured.name(), family, head.length));
    }
    if (head.length > 0 && !found.startsWith(encoding)) {
      throw new CaravanException(
          FailureCode.ENCODING,
          "The file looks like %s, but its encoding is configured as %s. Set its encoding to %s."
              .formatted(found, configured.name(), found));
    }
    return Charset.forName(found);
  }

  private static int width(String encoding) {
    return encoding.startsWith("UTF-16") ? 2 : encoding.startsWith("UTF-32") ? 4 : 1;
  }

  /** How many characters are ASCII text when the bytes are read so. */
  private static int asciiUnits(byte[] head, String wide) {
    int width = width(wide);
    boolean little = wide.endsWith("LE");
    int count = 0;
    for (int at = 0; at + width <= head.length; at += width) {
      int low = little ? at : at + width - 1;
      boolean plain = isText(head[low]);
      for (int i = at; i < at + width; i++) {
        plain &= i == low || head[i] == 0;
      }
      count += plain ? 1 : 0;
    }
    return count;
  }

  private static boolean isText(byte b) {
    return (b >= ' ' && b < 127) || b == '\n' || b == '\r' || b == '\t';
  }

  /** The beginning as text; what cannot be decoded, or is cut off, as U+FFFD. */
  String text(byte[] head) {
    return new String(Arrays.copyOfRange(head, markBytes, head.length), charset);
  }

  boolean isUtf8() {
    return charset.equals(StandardCharsets.UTF_8);
  }
}
