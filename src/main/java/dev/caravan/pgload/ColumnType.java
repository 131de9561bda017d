package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Target.Column;
import dev.caravan.pgload.ValueType.Scalar;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The type that a column is to have, out of a closed list: text from outside is parsed and written
 * anew, never passed on.
 *
 * @param sql as {@code format_type} writes it
 * @param values what its values are made of
 * @param required whether the column must have a value
 */
public record ColumnType(String sql, ValueType values, boolean required) {

  /** What {@link #parse} takes, for messages. */
  public static final String ALLOWED =
      "text, varchar(n), char(n), smallint, integer, bigint, numeric(p,s), real, double precision, boolean, date, time, timetz, timestamp, timestamptz, interval, uuid, json, jsonb, bytea, inet or cidr, with [] behind it for an array, and with \"not null\"";

  private static final Pattern FORM =
      Pattern.compile(
          "([a-z][a-z0-9]*(?: [a-z]+)??)"
              + "(?: ?\\( ?([0-9]{1,8}) ?(?:, ?([0-9]{1,4}) ?)?\\))?"
              + "( with time zone| without time zone)?"
              + "( ?\\[ ?\\])?( not null)?");

  private static final int MAX_LENGTH = 10_485_760;
  private static final int MAX_PRECISION = 1_000;
  private static final int MAX_FRACTION = 6;

  /** Other words for a type. */
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("varchar", "character varying"),
          Map.entry("char", "character"),
          Map.entry("int2", "smallint"),
          Map.entry("int", "integer"),
          Map.entry("int4", "integer"),
          Map.entry("int8", "bigint"),
          Map.entry("decimal", "numeric"),
          Map.entry("float4", "real"),
          Map.entry("float8", "double precision"),
          Map.entry("bool", "boolean"));

  /** From the type to its name in {@code pg_type}. */
  private static final Map<String, String> SIMPLE =
      Map.ofEntries(
          Map.entry("text", "text"),
          Map.entry("smallint", "int2"),
          Map.entry("integer", "int4"),
          Map.entry("bigint", "int8"),
          Map.entry("numeric", "numeric"),
          Map.entry("real", "float4"),
          Map.entry("double precision", "float8"),
          Map.entry("boolean", "bool"),
          Map.entry("date", "date"),
          Map.entry("interval", "interval"),
          Map.entry("uuid", "uuid"),
          Map.entry("json", "json"),
          Map.entry("jsonb", "jsonb"),
          Map.entry("bytea", "bytea"),
          Map.entry("inet", "inet"),
          Map.entry("cidr", "cidr"),
          Map.entry("character varying", "varchar"),
          Map.entry("character", "bpchar"));

  static final ColumnType TEXT = of("text");
  static final ColumnType JSONB = of("jsonb");

  /**
   * Reads a type as a user writes it, such as {@code numeric(12,2) not null}.
   *
   * @return empty when it is not one of the list
   */
  public static Optional<ColumnType> parse(String text) {
    Matcher form = FORM.matcher(text.strip().toLowerCase(Locale.ROOT).replaceAll("\\s+", " "));
    if (!form.matches()) {
      return Optional.empty();
    }
    String name = NAMES.getOrDefault(form.group(1), form.group(1));
    int first = form.group(2) == null ? -1 : Integer.parseInt(form.group(2));
    int second = form.group(3) == null ? -1 : Integer.parseInt(form.group(3));
    Optional<ColumnType> type =
        name.startsWith("time")
            ? clock(name, first, second, form.group(4))
            : form.group(4) == null ? simple(name, first, second) : Optional.empty();
    boolean required = form.group(6) != null;
    return form.group(5) == null
        ? type.map(t -> new ColumnType(t.sql(), t.values(), required))
        : type.map(
            t -> new ColumnType(t.sql() + "[]", new ValueType.Array(t.values(), ','), required));
  }

  /**
   * As {@link #parse}.
   *
   * @throws CaravanException CONFIG_INVALID when it is not one of the list
   */
  public static ColumnType of(String text) {
    return parse(text)
        .orElseThrow(
            () ->
                new CaravanException(
                    FailureCode.CONFIG_INVALID,
                    "Column type: found '%s'; allowed is %s.".formatted(text, ALLOWED)));
  }

  private static Optional<ColumnType> simple(String name, int first, int second) {
    String known = SIMPLE.get(name);
    if (known == null) {
      return Optional.empty();
    }
    boolean numeric = name.equals("numeric");
    boolean characters = name.startsWith("character");
    if (characters && second < 0) {
      return length(name, known, first < 0 && name.equals("character") ? 1 : first);
    }
    if (first < 0) {
      return type(name, known, ValueType.UNLIMITED);
    }
    boolean fits = first >= 1 && first <= MAX_PRECISION && second <= first;
    return numeric && fits
        ? type("numeric(%d,%d)".formatted(first, Math.max(second, 0)), known, ValueType.UNLIMITED)
        : Optional.empty();
  }

  private static Optional<ColumnType> length(String name, String known, int length) {
    if (length == 0 || length > MAX_LENGTH) {
      return Optional.empty();
    }
    return length < 0
        ? type(name, known, ValueType.UNLIMITED)
        : type("%s(%d)".formatted(name, length), known, length);
  }

  private static Optional<ColumnType> clock(String name, int digits, int second, String zone) {
    boolean shortName = name.equals("timetz") || name.equals("timestamptz");
    String base = shortName ? name.substring(0, name.length() - 2) : name;
    if (!(base.equals("time") || base.equals("timestamp"))
        || (shortName && zone != null)
        || digits > MAX_FRACTION
        || second >= 0) {
      return Optional.empty();
    }
    boolean zoned = shortName || " with time zone".equals(zone);
    return type(
        base
            + (digits < 0 ? "" : "(" + digits + ")")
            + (zoned ? " with time zone" : " without time zone"),
        base + (zoned ? "tz" : ""),
        ValueType.UNLIMITED);
  }

  private static Optional<ColumnType> type(String sql, String name, int maxLength) {
    return Optional.of(new ColumnType(sql, new Scalar(name, maxLength), false));
  }

  /** A column of the type that a load makes. */
  Column column(String name) {
    return new Column(name, sql, values, false, required, required, true, "");
  }

  /** As CREATE TABLE takes it. */
  static String definition(Column column) {
    return "%s %s%s"
        .formatted(
            Identifier.quote(column.name()), column.type(), column.required() ? " NOT NULL" : "");
  }
}
