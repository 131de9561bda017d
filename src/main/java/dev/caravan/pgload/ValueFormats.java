package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How the texts of a source are read as values of typed columns. Only what stands here is taken;
 * text columns are not concerned.
 *
 * @param date pattern of {@code yyyy}, {@code MM}, {@code dd} and characters that are no letters,
 *     such as {@code dd.MM.yyyy}; ISO 8601 by default
 * @param timestamp the same with {@code HH}, {@code mm} and, if wanted, {@code ss}, for columns
 *     without a time zone; columns with one take ISO 8601 with its zone only
 * @param decimal between the digits of a number and its fraction
 * @param thousands between groups of three digits; numbers without it are taken, too
 * @param trueWords texts that are true, as they are written
 * @param falseWords texts that are false
 */
public record ValueFormats(
    Optional<String> date,
    Optional<String> timestamp,
    char decimal,
    Optional<Character> thousands,
    List<String> trueWords,
    List<String> falseWords) {

  /** ISO 8601, a decimal point, true and false. */
  public static final ValueFormats ISO =
      new ValueFormats(
          Optional.empty(),
          Optional.empty(),
          '.',
          Optional.empty(),
          List.of("true", "t", "TRUE", "True"),
          List.of("false", "f", "FALSE", "False"));

  private static final List<String> DATE_PARTS = List.of("yyyy", "MM", "dd");
  private static final List<String> TIME_PARTS = List.of("HH", "mm", "ss");

  public ValueFormats {
    trueWords = List.copyOf(trueWords);
    falseWords = List.copyOf(falseWords);
    date.ifPresent(pattern -> DatePattern.parse(pattern, false));
    timestamp.ifPresent(pattern -> DatePattern.parse(pattern, true));
    if (thousands.isPresent() && thousands.get() == decimal) {
      throw invalid("thousands separator", String.valueOf(decimal), "another than for decimals");
    }
    if (trueWords.isEmpty() || falseWords.isEmpty()) {
      throw invalid("words for true and false", "none", "one word for each at least");
    }
    for (String word : trueWords) {
      if (falseWords.contains(word)) {
        throw invalid("words for true and false", word, "a word that stands for one of the two");
      }
    }
  }

  private static CaravanException invalid(String what, String found, String allowed) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "%s: found '%s'; allowed is %s.".formatted(what, found, allowed));
  }

  /** A pattern as a regular expression whose groups are the parts. */
  private record DatePattern(String regex, Map<String, Integer> groups) {

    static DatePattern parse(String pattern, boolean withTime) {
      StringBuilder regex = new StringBuilder("^");
      Map<String, Integer> groups = new LinkedHashMap<>();
      for (int i = 0; i < pattern.length(); ) {
        String rest = pattern.substring(i);
        Optional<String> part = parts(withTime).stream().filter(rest::startsWith).findFirst();
        char c = pattern.charAt(i);
        if (part.isPresent()) {
          regex.append("([0-9]{").append(part.get().length()).append("})");
          groups.put(part.get(), groups.size() + 1);
          i += part.get().length();
        } else if (Character.isLetterOrDigit(c)) {
          throw badPattern(pattern, withTime);
        } else {
          regex.append(c == ' ' ? " " : "\\" + c);
          i++;
        }
      }
      List<String> needed = new ArrayList<>(parts(withTime));
      needed.remove("ss");
      if (!groups.keySet().containsAll(needed)) {
        throw badPattern(pattern, withTime);
      }
      return new DatePattern(regex.append("$").toString(), groups);
    }

    private static List<String> parts(boolean withTime) {
      List<String> parts = new ArrayList<>(DATE_PARTS);
      parts.addAll(withTime ? TIME_PARTS : List.of());
      return parts;
    }

    private static CaravanException badPattern(String pattern, boolean withTime) {
      return invalid(
          withTime ? "timestamp format" : "date format",
          pattern,
          withTime ? "such as dd.MM.yyyy HH:mm:ss" : "such as dd.MM.yyyy");
    }

    /** What puts the groups into the order of ISO 8601. */
    String iso() {
      String date = joined(DATE_PARTS, "-");
      String time = joined(TIME_PARTS, ":");
      return time.isEmpty() ? date : date + " " + time;
    }

    private String joined(List<String> parts, String separator) {
      return parts.stream()
          .filter(groups::containsKey)
          .map(part -> "\\" + groups.get(part))
          .collect(Collectors.joining(separator));
    }
  }

  /** The type without its modifier. */
  private static String kind(String type) {
    return type.replaceAll("\\([^)]*\\)", "");
  }

  private Optional<DatePattern> pattern(String kind) {
    return switch (kind) {
      case "date" -> date.map(pattern -> DatePattern.parse(pattern, false));
      case "timestamp without time zone" ->
          timestamp.map(pattern -> DatePattern.parse(pattern, true));
      default -> Optional.empty();
    };
  }

  /** The regular expression that a text must match to be read as the type; empty: any. */
  Optional<String> regex(String type) {
    String kind = kind(type);
    String iso = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
    String time = "[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?";
    return switch (kind) {
      case "smallint", "integer", "bigint" -> Optional.of("^[+-]?" + digits() + "$");
      case "numeric", "real", "double precision" ->
          Optional.of(
              "^[+-]?(%1$s(\\%2$s[0-9]*)?|\\%2$s[0-9]+)([eE][+-]?[0-9]+)?$"
                  .formatted(digits(), decimal));
      case "date" -> Optional.of(pattern(kind).map(DatePattern::regex).orElse("^" + iso + "$"));
      case "timestamp without time zone" ->
          Optional.of(pattern(kind).map(DatePattern::regex).orElse("^" + iso + "(" + time + ")?$"));
      case "timestamp with time zone" ->
          Optional.of("^" + iso + time + "(Z|[+-][0-9]{2}(:?[0-9]{2})?)$");
      case "boolean" -> Optional.of("^(" + words(trueWords) + "|" + words(falseWords) + ")$");
      default -> Optional.empty();
    };
  }

  private String digits() {
    return thousands.map(c -> "([0-9]{1,3}(\\" + c + "[0-9]{3})+|[0-9]+)").orElse("[0-9]+");
  }

  private static String words(List<String> words) {
    return words.stream()
        .map(word -> Pattern.compile("[^\\p{L}\\p{N} ]").matcher(word).replaceAll("\\\\$0"))
        .collect(Collectors.joining("|"));
  }

  /** An SQL expression for the text in the form that PostgreSQL reads, if it matches. */
  String canonical(String type, String text) {
    String kind = kind(type);
    Optional<DatePattern> pattern = pattern(kind);
    if (pattern.isPresent()) {
      return "regexp_replace(%s, %s, %s)"
          .formatted(
              text,
              Identifier.literal(pattern.get().regex()),
              Identifier.literal(pattern.get().iso()));
    }
    return switch (kind) {
      case "smallint", "integer", "bigint", "numeric", "real", "double precision" -> number(text);
      case "boolean" -> trueWords.equals(ISO.trueWords) ? text : bool(text);
      default -> text;
    };
  }

  private String number(String text) {
    String plain =
        thousands
            .map(c -> "replace(%s, %s, '')".formatted(text, Identifier.literal("" + c)))
            .orElse(text);
    return decimal == '.'
        ? plain
        : "replace(%s, %s, '.')".formatted(plain, Identifier.literal("" + decimal));
  }

  private String bool(String text) {
    String words = trueWords.stream().map(Identifier::literal).collect(Collectors.joining(", "));
    return "CASE WHEN %1$s IN (%2$s) THEN 'true' WHEN %1$s IS NOT NULL THEN 'false' END"
        .formatted(text, words);
  }

  /** What is expected, for messages; empty when PostgreSQL's own words will do. */
  String expected(String type) {
    return switch (kind(type)) {
      case "date" -> "; expected is " + date.orElse("yyyy-mm-dd");
      case "timestamp without time zone" ->
          "; expected is " + timestamp.orElse("yyyy-mm-dd hh:mm:ss without a zone");
      case "timestamp with time zone" -> "; expected is yyyy-mm-dd hh:mm:ss with a zone";
      case "boolean" -> "; expected is %s or %s".formatted(trueWords.get(0), falseWords.get(0));
      default -> "";
    };
  }

  /** An SQL condition that is true for a text that is not taken as the type. */
  String isBad(String type, String text) {
    String invalid =
        "NOT pg_input_is_valid(%s, %s)".formatted(canonical(type, text), Identifier.literal(type));
    return regex(type)
        .map(regex -> "(%s !~ %s OR %s)".formatted(text, Identifier.literal(regex), invalid))
        .orElse(invalid);
  }
}
