package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
          String digits = "[0-9]{" + part.get().length() + "}";
          regex.append("(").append(part.get().equals("ss") ? SECOND : digits).append(")");
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

  /** What {@link ValueType.Scalar} calls an enum; PostgreSQL knows its words. */
  static final String ENUM = "enum";

  /** PostgreSQL cuts a longer value of type name. */
  static final int MAX_NAME_BYTES = 63;

  /** Deeper JSON may be more than a server's stack takes. */
  static final int MAX_JSON_DEPTH = 64;

  private static final String DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
  private static final String SECOND = "[0-5][0-9]";
  private static final String CLOCK = "[0-9]{2}:[0-9]{2}(:" + SECOND + "([.][0-9]{1,6})?)?";
  private static final String ZONE = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)";
  private static final String COUNT = "[+-]?[0-9]+([.][0-9]{1,6})?";
  private static final String OCTET = "(0|[1-9][0-9]{0,2})";

  /** ISO 8601 durations, and what PostgreSQL writes. */
  private static final String INTERVAL =
      ("^(P(?=[0-9T+-])(%1$s[YMWD])*(T(%1$s[HMS])+)?"
              + "|(?=[0-9+-])(%1$s ?(years?|mons?|months?|weeks?|days?|hours?|mins?|minutes?|secs?|seconds?)( |$))*"
              + "([+-]?[0-9]+:[0-9]{2}(:%2$s([.][0-9]{1,6})?)?)?)$")
          .formatted(COUNT, SECOND);

  /** Numbers and signs, so that neither NaN nor infinity can be among them. */
  private static final String GEOMETRY = "^[-+0-9.eE,;()<>{} \\[\\]]*$";

  private static final String NO_WORDS_FOR_NUMBERS = "^(?!.*([nN][aA][nN]|[iI][nN][fF]))";

  /** Types whose values have one form, whatever is configured. */
  private static final Map<String, String> FORMS =
      Map.ofEntries(
          Map.entry("timestamptz", "^" + DAY + "[ T]" + CLOCK + ZONE + "$"),
          Map.entry("time", "^" + CLOCK + "$"),
          Map.entry("timetz", "^" + CLOCK + ZONE + "$"),
          Map.entry("interval", INTERVAL),
          Map.entry("bit", "^[01]*$"),
          Map.entry("varbit", "^[01]*$"),
          Map.entry("oid", "^(0|[1-9][0-9]*)$"),
          Map.entry("xid", "^(0|[1-9][0-9]*)$"),
          Map.entry("cid", "^(0|[1-9][0-9]*)$"),
          Map.entry("xid8", "^(0|[1-9][0-9]*)$"),
          Map.entry("tid", "^[(][0-9]+,[0-9]+[)]$"),
          Map.entry("int2vector", "^(-?[0-9]+( -?[0-9]+)*)?$"),
          Map.entry("oidvector", "^([0-9]+( [0-9]+)*)?$"),
          Map.entry("inet", address()),
          Map.entry("cidr", address()),
          Map.entry("point", GEOMETRY),
          Map.entry("line", GEOMETRY),
          Map.entry("lseg", GEOMETRY),
          Map.entry("box", GEOMETRY),
          Map.entry("path", GEOMETRY),
          Map.entry("polygon", GEOMETRY),
          Map.entry("circle", GEOMETRY),
          Map.entry("postgis.geometry", NO_WORDS_FOR_NUMBERS),
          Map.entry("postgis.geography", NO_WORDS_FOR_NUMBERS),
          Map.entry("vector.vector", NO_WORDS_FOR_NUMBERS),
          Map.entry("vector.halfvec", NO_WORDS_FOR_NUMBERS));

  /** Types of which every text is a value. */
  private static final Set<String> TEXTS =
      Set.of("text", "varchar", "bpchar", "char", "name", "refcursor", "citext.citext");

  private static final Set<String> JSON = Set.of("json", "jsonb");

  /** Types whose values PostgreSQL reads without a choice: each text is one value or an error. */
  private static final Set<String> READ_BY_POSTGRES =
      Set.of("uuid", "bytea", "macaddr", "macaddr8", "json", "jsonb", ENUM);

  /** The same; their texts may also nest so deeply, or be so bad, that the statement ends. */
  private static final Set<String> MAY_RAISE =
      Set.of(
          "xml",
          "jsonpath",
          "tsvector",
          "tsquery",
          "pg_lsn",
          "pg_snapshot",
          "txid_snapshot",
          "hstore.hstore",
          "ltree.ltree",
          "vector.sparsevec");

  private static final Set<String> CONFIGURED =
      Set.of(
          "int2",
          "int4",
          "int8",
          "numeric",
          "float4",
          "float8",
          "money",
          "date",
          "timestamp",
          "bool");

  private static String address() {
    return "^(%1$s([.]%1$s){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)(/[0-9]{1,3})?$".formatted(OCTET);
  }

  /** Whether there are rules for the values of the type; its name is as in {@link ValueType}. */
  static boolean isKnown(String type) {
    return hasForm(type)
        || TEXTS.contains(type)
        || READ_BY_POSTGRES.contains(type)
        || MAY_RAISE.contains(type);
  }

  /** Whether a value must have a certain form, so that blanks around it mean nothing. */
  static boolean hasForm(String type) {
    return CONFIGURED.contains(type) || FORMS.containsKey(type);
  }

  /** Whether every text that is not forbidden is a value of the type. */
  static boolean isText(String type) {
    return TEXTS.contains(type);
  }

  /** Whether a bad text may end the statement that reads it: an extension's type, most often. */
  static boolean raises(String type) {
    return MAY_RAISE.contains(type) || (type.indexOf('.') >= 0 && !TEXTS.contains(type));
  }

  /** True for a column that takes JSON as it is written. */
  static boolean isJson(ValueType values) {
    return values.scalar().filter(s -> JSON.contains(s.name())).isPresent();
  }

  private Optional<DatePattern> pattern(String type) {
    return switch (type) {
      case "date" -> date.map(pattern -> DatePattern.parse(pattern, false));
      case "timestamp" -> timestamp.map(pattern -> DatePattern.parse(pattern, true));
      default -> Optional.empty();
    };
  }

  /** The regular expression that a text must match to be read as the type; empty: any. */
  private Optional<String> regex(String type) {
    String fraction = "\\" + decimal;
    return switch (type) {
      case "int2", "int4", "int8" -> Optional.of("^[+-]?" + digits() + "(" + fraction + "0*)?$");
      case "numeric", "float4", "float8", "money" ->
          Optional.of(
              "^[+-]?(%1$s(%2$s[0-9]*)?|%2$s[0-9]+)([eE][+-]?[0-9]+)?$"
                  .formatted(digits(), fraction));
      case "date" -> Optional.of(pattern(type).map(DatePattern::regex).orElse("^" + DAY + "$"));
      case "timestamp" ->
          Optional.of(
              pattern(type).map(DatePattern::regex).orElse("^" + DAY + "([ T]" + CLOCK + ")?$"));
      case "bool" -> Optional.of("^(" + words(trueWords) + "|" + words(falseWords) + ")$");
      default -> Optional.ofNullable(FORMS.get(type));
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

  /**
   * An SQL condition that is true for a text that is not to be read as the type, although
   * PostgreSQL might.
   */
  String isForbidden(String type, String text) {
    return switch (type) {
      case "char" -> "octet_length(%s) > 1".formatted(text);
      case "name" -> "octet_length(%s) > %d".formatted(text, MAX_NAME_BYTES);
      case "json", "jsonb" -> isTooDeep(text);
      case "money" ->
          "CASE WHEN %s THEN true ELSE NOT pg_input_is_valid(%s, 'numeric(18,2)') END"
              .formatted(differs(type, text), number(text));
      default -> regex(type).isPresent() ? differs(type, text) : "false";
    };
  }

  private String differs(String type, String text) {
    return text + " !~ " + Identifier.literal(regex(type).orElseThrow());
  }

  /** Counts brackets outside of strings, where there are enough of them. */
  private static String isTooDeep(String text) {
    return """
        CASE WHEN length(%1$s) - length(translate(%1$s, '[{', '')) > %2$d THEN
          (SELECT max(depth) > %2$d FROM (
            SELECT sum(CASE WHEN c IN ('[', '{') THEN 1 ELSE -1 END) OVER (ORDER BY n) AS depth
            FROM regexp_split_to_table(regexp_replace(
              regexp_replace(%1$s, %3$s, '', 'g'), %4$s, '', 'g'), '') WITH ORDINALITY AS x(c, n)
            WHERE c <> '') nested)
        ELSE false END"""
        .formatted(
            text,
            MAX_JSON_DEPTH,
            Identifier.literal("\"(?:[^\"\\\\]|\\\\.)*\""),
            Identifier.literal("[^][{}]"));
  }

  /** An SQL expression for the text in the form that PostgreSQL reads, if it is not forbidden. */
  String canonical(String type, String text) {
    Optional<DatePattern> pattern = pattern(type);
    if (pattern.isPresent()) {
      return "regexp_replace(%s, %s, %s)"
          .formatted(
              text,
              Identifier.literal(pattern.get().regex()),
              Identifier.literal(pattern.get().iso()));
    }
    return switch (type) {
      // whole numbers are written with a fraction of nothing by many programs
      case "int2", "int4", "int8" -> "split_part(" + number(text) + ", '.', 1)";
      case "numeric", "float4", "float8" -> number(text);
      // what money reads depends on the server's lc_monetary
      case "money" -> number(text) + "::numeric::money::text";
      case "bool" -> trueWords.equals(ISO.trueWords) ? text : bool(text);
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
    return switch (type) {
      case "date" -> "; expected is " + date.orElse("yyyy-mm-dd");
      case "timestamp" -> "; expected is " + timestamp.orElse("yyyy-mm-dd hh:mm:ss without a zone");
      case "timestamptz" -> "; expected is yyyy-mm-dd hh:mm:ss with a zone";
      case "time" -> "; expected is hh:mm:ss without a zone";
      case "timetz" -> "; expected is hh:mm:ss with a zone";
      case "interval" -> "; expected is such as 1 day 02:30:00 or P1DT2H30M";
      case "bool" -> "; expected is %s or %s".formatted(trueWords.get(0), falseWords.get(0));
      default -> "";
    };
  }
}
