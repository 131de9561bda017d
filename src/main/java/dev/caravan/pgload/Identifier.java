package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The one place where a name becomes SQL. */
public final class Identifier {

  /** NAMEDATALEN - 1: PostgreSQL cuts longer names silently. */
  public static final int MAX_BYTES = 63;

  /** Every table has these columns beside its own. */
  private static final Set<String> SYSTEM_COLUMNS =
      Set.of("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid");

  /** What is wrong with a name: the message goes on after the name. */
  record Problem(FailureCode code, String message) {}

  private Identifier() {}

  /** Why a column of the name cannot be made; empty when it can. */
  static Optional<Problem> checkNewColumn(String name) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_BYTES) {
      return Optional.of(
          new Problem(
              FailureCode.NAME_TOO_LONG,
              "would have a name of %d bytes; PostgreSQL keeps %d".formatted(bytes, MAX_BYTES)));
    }
    if (name.isEmpty() || name.chars().anyMatch(Character::isISOControl)) {
      return Optional.of(
          new Problem(FailureCode.BAD_NAME, "would have a control character, or nothing, as name"));
    }
    if (SYSTEM_COLUMNS.contains(name)) {
      return Optional.of(
          new Problem(
              FailureCode.BAD_NAME,
              "would be called '%s', as a system column of PostgreSQL".formatted(name)));
    }
    return Optional.empty();
  }

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

  /** A text as an SQL literal, whatever {@code standard_conforming_strings} is. */
  static String literal(String text) {
    String quoted = "'" + text.replace("'", "''") + "'";
    return text.indexOf('\\') < 0 ? quoted : "E" + quoted.replace("\\", "\\\\");
  }
}
