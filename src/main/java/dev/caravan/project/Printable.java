package dev.caravan.project;

import java.util.regex.Pattern;

/**
 * Text of users and servers in messages: on one line, short, and without what is a secret even in
 * the wrong place (passwords in addresses, private keys).
 */
final class Printable {

  private static final int MAX_LENGTH = 80;
  private static final Pattern USER_INFO = Pattern.compile("://.*@", Pattern.DOTALL);
  private static final Pattern PRIVATE_KEY = Pattern.compile("-----BEGIN.*", Pattern.DOTALL);

  private Printable() {}

  /** Between double quotes, with escapes for all that a log or a terminal might act on. */
  static String quoted(String text) {
    String harmless = USER_INFO.matcher(text).replaceAll("://…@");
    harmless = PRIVATE_KEY.matcher(harmless).replaceAll("-----BEGIN…");
    StringBuilder out = new StringBuilder("\"");
    harmless.codePoints().limit(MAX_LENGTH).forEach(codePoint -> append(out, codePoint));
    if (harmless.codePointCount(0, harmless.length()) > MAX_LENGTH) {
      out.append('…');
    }
    return out.append('"').toString();
  }

  private static void append(StringBuilder out, int codePoint) {
    if (codePoint == '"' || codePoint == '\\') {
      out.append('\\').append((char) codePoint);
    } else if (isVisible(codePoint)) {
      out.appendCodePoint(codePoint);
    } else {
      for (char unit : Character.toChars(codePoint)) {
        out.append("\\u%04x".formatted((int) unit));
      }
    }
  }

  private static boolean isVisible(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.PRIVATE_USE,
          Character.SURROGATE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
