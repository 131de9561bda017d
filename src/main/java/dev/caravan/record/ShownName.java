package dev.caravan.record;

import java.util.Collection;
import java.util.stream.Collectors;

/** Column names as messages show them: on one line, and with what nobody can see spelled out. */
public final class ShownName {

  private static final int MAX_CHARACTERS = 80;

  private ShownName() {}

  /** The name, its hidden characters as {@code <U+200B>}; cut off after 80 characters. */
  public static String of(String name) {
    StringBuilder shown = new StringBuilder();
    name.codePoints()
        .limit(MAX_CHARACTERS)
        .forEach(
            c -> {
              if (isHidden(c)) {
                shown.append("<U+%04X>".formatted(c));
              } else {
                shown.appendCodePoint(c);
              }
            });
    return name.codePointCount(0, name.length()) > MAX_CHARACTERS ? shown + "…" : shown.toString();
  }

  /** The names with commas between them. */
  public static String list(Collection<String> names) {
    return names.stream().map(ShownName::of).collect(Collectors.joining(", "));
  }

  /** True when the name has a character that cannot be seen, or looks like a blank and is none. */
  public static boolean hasHidden(String name) {
    return name.codePoints().anyMatch(ShownName::isHidden);
  }

  private static boolean isHidden(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.PRIVATE_USE,
          Character.SURROGATE,
          Character.UNASSIGNED ->
          true;
      case Character.SPACE_SEPARATOR -> c != ' ';
      default -> false;
    };
  }
}
