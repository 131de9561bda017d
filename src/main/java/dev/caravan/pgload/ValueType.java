package dev.caravan.pgload;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the type of a column is made of, down to the types that have rules, so that what holds for a
 * date holds for the dates in an array as well. A domain is the type that it is over.
 *
 * <p>The SQL expressions that are asked for here take a text {@code value}: the name of a column.
 */
sealed interface ValueType {

  /** Any number of characters. */
  int UNLIMITED = -1;

  /** A condition that is true for a text that the rules forbid; not true for NULL. */
  String isForbidden(ValueFormats formats, String value);

  /**
   * The value, which is not forbidden, in the form that PostgreSQL reads; {@code value} itself
   * where that is the same.
   */
  String canonical(ValueFormats formats, String value);

  /** The first type inside that has no rules. */
  Optional<String> unknown();

  /** Whether reading a bad text may end the statement, even for {@code pg_input_is_valid}. */
  boolean raises();

  /** The type, if it is of one piece. */
  default Optional<Scalar> scalar() {
    return Optional.empty();
  }

  /** What the parts of {@code value} are called inside of it. */
  private static String inner(String value) {
    int dot = value.indexOf('.');
    return dot < 0 ? "e1" : "e" + (Integer.parseInt(value, 1, dot, 10) + 1);
  }

  private static String pattern(String regex) {
    return Identifier.literal(regex);
  }

  /** A bound or field without its quotes; NULL when there is nothing, not even quotes. */
  private static String unquoted(String text, ValueType type) {
    boolean blanksCount = type.scalar().filter(s -> !ValueFormats.hasForm(s.name())).isPresent();
    return """
        CASE WHEN %1$s = '' THEN NULL
        WHEN left(%1$s, 1) = '"'
          THEN regexp_replace(substr(%1$s, 2, length(%1$s) - 2), %2$s, %3$s, 'g')
        ELSE %4$s END"""
        .formatted(
            text,
            pattern("\\\\(.)|\"(\")"),
            pattern("\\1\\2"),
            blanksCount ? text : "btrim(" + text + ")");
  }

  private static String quoted(String value) {
    return "'\"' || replace(replace(%s, %s, %s), '\"', '\"\"') || '\"'"
        .formatted(value, pattern("\\"), pattern("\\\\"));
  }

  /**
   * A value of one piece.
   *
   * @param name as in {@code pg_type}, such as {@code int4}; of an extension's type with the
   *     extension in front, such as {@code postgis.geometry}; {@link ValueFormats#ENUM}
   * @param maxLength characters of a varchar(n) or char(n); {@link #UNLIMITED} for all others
   */
  record Scalar(String name, int maxLength) implements ValueType {
    @Override
    public String isForbidden(ValueFormats formats, String value) {
      return maxLength >= 0
          ? "char_length(%s) > %d".formatted(value, maxLength)
          : formats.isForbidden(name, value);
    }

    @Override
    public String canonical(ValueFormats formats, String value) {
      return formats.canonical(name, value);
    }

    @Override
    public Optional<String> unknown() {
      return ValueFormats.isKnown(name) ? Optional.empty() : Optional.of(name);
    }

    @Override
    public boolean raises() {
      return ValueFormats.raises(name);
    }

    @Override
    public Optional<Scalar> scalar() {
      return Optional.of(this);
    }
  }

  /** A domain with a CHECK, which may raise an error instead of being false. */
  record Checked(ValueType base) implements ValueType {
    @Override
    public String isForbidden(ValueFormats formats, String value) {
      return base.isForbidden(formats, value);
    }

    @Override
    public String canonical(ValueFormats formats, String value) {
      return base.canonical(formats, value);
    }

    @Override
    public Optional<String> unknown() {
      return base.unknown();
    }

    @Override
    public boolean raises() {
      return true;
    }

    @Override
    public Optional<Scalar> scalar() {
      return base.scalar();
    }
  }

  /**
   * An array. Where its elements are written otherwise than PostgreSQL writes them, it has one
   * dimension that begins at 1.
   *
   * @param delimiter between the elements; one that is no comma only where no element can have it
   */
  record Array(ValueType element, char delimiter) implements ValueType {
    @Override
    public String isForbidden(ValueFormats formats, String value) {
      if (delimiter != ',') {
        return element.isForbidden(formats, value);
      }
      String e = inner(value);
      String read = element.canonical(formats, e + ".v");
      String shape =
          read.equals(e + ".v")
              ? ""
              : " OR (%s AND %s IS DISTINCT FROM %s.v)".formatted(hasShape(value), read, e);
      return """
          CASE WHEN %1$s IS NULL THEN false WHEN NOT pg_input_is_valid(%1$s, 'text[]') THEN true
          ELSE EXISTS (SELECT FROM unnest(%1$s::text[]) AS %2$s(v) WHERE %3$s%4$s) END"""
          .formatted(value, e, element.isForbidden(formats, e + ".v"), shape);
    }

    private static String hasShape(String value) {
      return "(array_ndims(%1$s::text[]) > 1 OR array_lower(%1$s::text[], 1) <> 1)"
          .formatted(value);
    }

    @Override
    public String canonical(ValueFormats formats, String value) {
      String e = inner(value);
      String read = element.canonical(formats, e + ".v");
      return delimiter != ',' || read.equals(e + ".v")
          ? value
          : """
          CASE WHEN %1$s IS NULL OR array_ndims(%1$s::text[]) IS NULL OR %2$s THEN %1$s
          ELSE (SELECT array_agg(%3$s ORDER BY %4$s.n)
                FROM unnest(%1$s::text[]) WITH ORDINALITY AS %4$s(v, n))::text END"""
              .formatted(value, hasShape(value), read, e);
    }

    @Override
    public Optional<String> unknown() {
      boolean told = delimiter == ',' || element.equals(new Scalar("box", UNLIMITED));
      return told ? element.unknown() : Optional.of("array with " + delimiter);
    }

    @Override
    public boolean raises() {
      return element.raises();
    }
  }

  /** A range. */
  record Range(ValueType bound) implements ValueType {

    /** With {@code %s} for what a group begins with. */
    private static final String FORM =
        "(?:[Ee][Mm][Pp][Tt][Yy]|[[(]%1$s\"(?:[^\"\\\\]|\\\\.|\"\")*\"|[^,)\\]\"\\\\]*),%1$s\"(?:[^\"\\\\]|\\\\.|\"\")*\"|[^,)\\]\"\\\\]*)[])])";

    private static final String BOUNDS = pattern("^\\s*" + FORM.formatted("(") + "\\s*$");

    /** Without groups. */
    static final String ANY = FORM.formatted("(?:");

    @Override
    public String isForbidden(ValueFormats formats, String value) {
      String e = inner(value);
      return """
          CASE WHEN %1$s IS NULL THEN false WHEN %1$s !~ %2$s THEN true
          ELSE EXISTS (SELECT FROM unnest(regexp_match(%1$s, %2$s)) AS %3$sm(m)
            CROSS JOIN LATERAL (SELECT %4$s AS v) %3$s WHERE %5$s) END"""
          .formatted(
              value, BOUNDS, e, unquoted(e + "m.m", bound), bound.isForbidden(formats, e + ".v"));
    }

    @Override
    public String canonical(ValueFormats formats, String value) {
      String e = inner(value);
      if (bound.canonical(formats, e + ".v").equals(e + ".v")) {
        return value;
      }
      return """
          CASE WHEN %1$s IS NULL OR lower(btrim(%1$s)) = 'empty' THEN %1$s
          ELSE (SELECT left(ltrim(%1$s, E' \\t\\n\\r\\f\\x0b'), 1)
                || string_agg(coalesce(%2$s, ''), ',' ORDER BY %3$sm.n)
                || right(rtrim(%1$s, E' \\t\\n\\r\\f\\x0b'), 1)
            FROM unnest(regexp_match(%1$s, %4$s)) WITH ORDINALITY AS %3$sm(m, n)
            CROSS JOIN LATERAL (SELECT %5$s AS v) %3$s) END"""
          .formatted(
              value,
              quoted(bound.canonical(formats, e + ".v")),
              e,
              BOUNDS,
              unquoted(e + "m.m", bound));
    }

    @Override
    public Optional<String> unknown() {
      return bound.unknown();
    }

    @Override
    public boolean raises() {
      return bound.raises();
    }
  }

  /** Several ranges in braces. */
  record Multirange(Range range) implements ValueType {

    private static final String FORM =
        pattern("^\\s*\\{\\s*(?:%1$s(?:\\s*,\\s*%1$s)*)?\\s*\\}\\s*$".formatted(Range.ANY));

    private static final String EACH = pattern("(" + Range.ANY + ")");

    @Override
    public String isForbidden(ValueFormats formats, String value) {
      String e = inner(value);
      return """
          CASE WHEN %1$s IS NULL THEN false WHEN %1$s !~ %2$s THEN true
          ELSE EXISTS (SELECT FROM regexp_matches(%1$s, %3$s, 'g') AS %4$sm(m)
            CROSS JOIN LATERAL (SELECT %4$sm.m[1] AS v) %4$s WHERE %5$s) END"""
          .formatted(value, FORM, EACH, e, range.isForbidden(formats, e + ".v"));
    }

    @Override
    public String canonical(ValueFormats formats, String value) {
      String e = inner(value);
      String read = range.canonical(formats, e + ".v");
      return read.equals(e + ".v")
          ? value
          : """
          CASE WHEN %1$s IS NOT NULL THEN (SELECT '{' || coalesce(string_agg(%2$s, ',' ORDER BY %3$sm.n), '') || '}'
            FROM regexp_matches(%1$s, %4$s, 'g') WITH ORDINALITY AS %3$sm(m, n)
            CROSS JOIN LATERAL (SELECT %3$sm.m[1] AS v) %3$s) END"""
              .formatted(value, read, e, EACH);
    }

    @Override
    public Optional<String> unknown() {
      return range.unknown();
    }

    @Override
    public boolean raises() {
      return range.raises();
    }
  }

  /** A row of values in parentheses. */
  record Composite(List<ValueType> fields) implements ValueType {

    private static final String FIELD = "(\"(?:[^\"\\\\]|\\\\.|\"\")*\"|[^,)\"\\\\]*)";

    public Composite {
      fields = List.copyOf(fields);
    }

    private String form() {
      return pattern(
          fields.stream()
              .map(field -> FIELD)
              .collect(Collectors.joining(",", "^\\s*\\(", "\\)\\s*$")));
    }

    /** One row of the fields' texts: {@code e.v1}, {@code e.v2} and so on. */
    private String read(String value, String e) {
      return "FROM regexp_match(%s, %s) AS %sm(m) CROSS JOIN LATERAL (SELECT %s) %s"
          .formatted(
              value,
              form(),
              e,
              each(i -> unquoted("%sm.m[%d]".formatted(e, i + 1), fields.get(i)) + " AS v" + i)
                  .collect(Collectors.joining(", ")),
              e);
    }

    private Stream<String> each(Function<Integer, String> text) {
      return IntStream.range(0, fields.size()).boxed().map(text);
    }

    @Override
    public String isForbidden(ValueFormats formats, String value) {
      String e = inner(value);
      String any =
          each(i -> "(" + fields.get(i).isForbidden(formats, e + ".v" + i) + ") IS TRUE")
              .collect(Collectors.joining(" OR "));
      return "CASE WHEN %1$s IS NULL THEN false WHEN %1$s !~ %2$s THEN true ELSE (SELECT %3$s %4$s) END"
          .formatted(value, form(), any.isEmpty() ? "false" : any, read(value, e));
    }

    @Override
    public String canonical(ValueFormats formats, String value) {
      String e = inner(value);
      boolean same =
          IntStream.range(0, fields.size())
              .allMatch(i -> fields.get(i).canonical(formats, e + ".v" + i).equals(e + ".v" + i));
      String row =
          each(i ->
                  "coalesce(%s, '')"
                      .formatted(quoted(fields.get(i).canonical(formats, e + ".v" + i))))
              .collect(Collectors.joining(" || ',' || "));
      return same
          ? value
          : "CASE WHEN %s IS NOT NULL THEN (SELECT '(' || %s || ')' %s) END"
              .formatted(value, row, read(value, e));
    }

    @Override
    public Optional<String> unknown() {
      return fields.stream().flatMap(field -> field.unknown().stream()).findFirst();
    }

    @Override
    public boolean raises() {
      return fields.stream().anyMatch(ValueType::raises);
    }
  }
}
