package dev.caravan.project;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.regex.Pattern;

/** The name of a file in the listing of a server, as the server sent it. */
record FileName(String text) {

  private static final String GZ = ".gz";

  /** The endings of packed files, read or not: what is in a file is told by its bytes, later. */
  private static final Pattern PACKED =
      Pattern.compile("(?<=.)\\.(?:gz|zip|bz2|xz|zst|lz4|7z|rar|z)\\z", Pattern.CASE_INSENSITIVE);

  /**
   * @throws CaravanException BAD_NAME for what no file in one folder is named, and for names that
   *     cannot be asked for or written down: folders, control characters, broken UTF-8
   */
  void requirePlain() {
    boolean dots = text.equals(".") || text.equals("..");
    if (text.isEmpty() || dots || text.codePoints().anyMatch(FileName::isUnsafe)) {
      throw new CaravanException(
          FailureCode.BAD_NAME,
          "File %s is not loaded: its name holds a slash, a backslash, a control character or bytes that are not UTF-8. Rename it on the server."
              .formatted(this));
    }
  }

  private static boolean isUnsafe(int codePoint) {
    return codePoint == '/'
        || codePoint == '\\'
        || codePoint == 0xFFFD // what a decoder puts in place of bytes that are not UTF-8
        || Character.isISOControl(codePoint)
        || Character.getType(codePoint) == Character.SURROGATE;
  }

  /** Without the {@code .gz} of a compressed file. */
  FileName withoutGz() {
    int end = text.length() - GZ.length();
    return end > 0 && text.regionMatches(true, end, GZ, 0, GZ.length())
        ? new FileName(text.substring(0, end))
        : this;
  }

  /** Without the ending of a packed file, such as {@code .gz}, and without the extension. */
  String stem() {
    String name = PACKED.matcher(text).replaceFirst("");
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }

  @Override
  public String toString() {
    return Printable.quoted(text);
  }
}
