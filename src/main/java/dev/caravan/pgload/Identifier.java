package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.stream.Collectors;

/** The one place where a name becomes SQL. */
public final class Identifier {

  /** NAMEDATALEN - 1: PostgreSQL cuts longer names silently. */
  public static final int MAX_BYTES = 63;

  private Identifier() {}

  /**
   * The name in double quotes, so that it is never read as anything but a name.
   *
   * @throws CaravanException BAD_NAME when it is empty or holds a control character, NAME_TOO_LONG
   *     when PostgreSQL would cut it
   */
  public static String quote(String name) {
    if (name.isEmpty() || name.chars().anyMatch(Character::isISOControl)) {
      throw new CaravanException(
          FailureCode.BAD_NAME,
          "'%s' is not a name: it is empty or holds a control character."
              .formatted(name.replaceAll("\\p{Cntrl}", "?")));
    }
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_BYTES) {
      throw new CaravanException(
          FailureCode.NAME_TOO_LONG,
          "The name '%s' has %d bytes; PostgreSQL keeps %d.".formatted(name, bytes, MAX_BYTES));
    }
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  /** The names quoted, with commas between them. */
  public static String list(Collection<String> names) {
    return names.stream().map(Identifier::quote).collect(Collectors.joining(", "));
  }

  /** A text as an SQL literal; only for names in catalog look-ups inside generated SQL. */
  static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
