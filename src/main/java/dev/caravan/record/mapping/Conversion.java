package dev.caravan.record.mapping;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.format.ResolverStyle;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * From a value of the source to a value of the target. A value that does not fit is told to {@code
 * odd} with what becomes of it; nothing is refused here, because the target's types do that.
 */
public sealed interface Conversion {

  /** The converted value; null for none. */
  Object convert(Object value, Consumer<Oddity> odd);

  /** A value that was not expected, and what it became. */
  record Oddity(String code, String value, String became) {}

  /** The value as it is. Numbers keep every digit; the type of the column decides. */
  record AsIs() implements Conversion {
    @Override
    public Object convert(Object value, Consumer<Oddity> odd) {
      return value;
    }
  }

  /**
   * A number that is written with another decimal character than a point, and perhaps with one
   * between groups of digits. What is no number stays as it is, and its column refuses the record.
   */
  record DecimalNumber(char decimal, Optional<Character> thousands) implements Conversion {
    @Override
    public Object convert(Object value, Consumer<Oddity> odd) {
      if (!(value instanceof String text)) {
        return value;
      }
      String digits = thousands.map(c -> text.replace(c.toString(), "")).orElse(text).strip();
      return digits.indexOf('.') >= 0 && decimal != '.' ? text : digits.replace(decimal, '.');
    }
  }

  /** A date in a pattern such as {@code yyyyMMdd}; anything else becomes NULL and is told. */
  final class Date implements Conversion {

    private final String pattern;
    private final DateTimeFormatter format;

    /**
     * @param pattern of Java's DateTimeFormatter
     * @throws CaravanException CONFIG_INVALID when it is none, or has no year, month and day
     */
    public Date(String pattern) {
      this.pattern = pattern;
      try {
        // yyyy counts years of an era, which strict parsing does not take without one
        format =
            DateTimeFormatter.ofPattern(pattern.replace('y', 'u'))
                .withResolverStyle(ResolverStyle.STRICT);
        LocalDate.parse(LocalDate.EPOCH.format(format), format);
      } catch (IllegalArgumentException | java.time.DateTimeException e) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "found '%s'; allowed is a pattern of year, month and day, such as yyyyMMdd"
                .formatted(pattern),
            e);
      }
    }

    @Override
    public Object convert(Object value, Consumer<Oddity> odd) {
      if (value == null) {
        return null;
      }
      String text = text(value);
      try {
        return LocalDate.parse(text, format).toString();
      } catch (DateTimeParseException e) {
        odd.accept(new Oddity("NO_DATE", text, "NULL, because it is not " + pattern));
        return null;
      }
    }
  }

  /** A text for each of some words, and one for all others; without that, others become NULL. */
  record Words(Map<String, String> texts, Optional<String> otherwise) implements Conversion {

    public Words {
      texts = Map.copyOf(texts);
    }

    @Override
    public Object convert(Object value, Consumer<Oddity> odd) {
      if (value == null) {
        return otherwise.orElse(null);
      }
      String text = text(value);
      String found = texts.get(text);
      if (found == null) {
        odd.accept(new Oddity("UNKNOWN_WORD", text, otherwise.orElse("NULL")));
        return otherwise.orElse(null);
      }
      return found;
    }
  }

  /** True for some words, false for every other value. */
  record TrueWords(List<String> words) implements Conversion {

    public TrueWords {
      words = List.copyOf(words);
    }

    @Override
    public Object convert(Object value, Consumer<Oddity> odd) {
      return value == null ? null : words.contains(text(value));
    }
  }

  /** One part of a text that is cut by some characters, counted from 1; none when it has fewer. */
  record Part(String by, int part) implements Conversion {
    @Override
    public Object convert(Object value, Consumer<Oddity> odd) {
      if (value == null) {
        return null;
      }
      String[] parts = text(value).split(Pattern.quote(by), -1);
      if (part > parts.length) {
        odd.accept(new Oddity("NO_PART", text(value), "NULL, because it has no part " + part));
        return null;
      }
      return parts[part - 1];
    }
  }

  /** The text of a value; a number in plain digits. */
  static String text(Object value) {
    return value instanceof BigDecimal number ? number.toPlainString() : value.toString();
  }
}
