package dev.caravan.pgload;

import dev.caravan.pgload.Target.Column;
import dev.caravan.pgload.ValueType.Scalar;
import dev.caravan.record.Fields;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Looks at the values of typed columns while they are copied: plain ones, such as {@code 42} or
 * {@code 2026-02-28}, are good beyond doubt. Only a column that had another value is worth the pass
 * in PostgreSQL, where a regular expression per value takes longer than COPY and merge together.
 *
 * <p>What it calls plain {@link ValueCheck#isBad} must not call bad; a test holds the two together.
 * The other way round it need not know everything.
 */
final class PlainValues {

  /** Digits that always fit. */
  private static final int SMALLINT_DIGITS = 4;

  private static final int INTEGER_DIGITS = 9;
  private static final int BIGINT_DIGITS = 18;
  private static final int DOUBLE_DIGITS = 15;
  private static final int REAL_DIGITS = 6;
  private static final int NUMERIC_DIGITS = 1_000;

  private static final int MAX_OFFSET_HOURS = 14;

  private static final int[] DAYS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  private static final Pattern NUMERIC = Pattern.compile("numeric\\(([0-9]+),([0-9]+)\\)");

  /** What is plain for one type. */
  private interface Test {
    boolean isPlain(byte[] bytes, int start, int length);
  }

  private final int[] fields;
  private final boolean[] required;
  private final Test[] tests;
  private final boolean[] doubtful;

  PlainValues(ColumnPlan plan) {
    int count = plan.columns().size();
    fields = plan.fields().stream().mapToInt(Integer::intValue).toArray();
    required = new boolean[count];
    tests = new Test[count];
    doubtful = new boolean[count];
    for (int i = 0; i < count; i++) {
      Column column = plan.columns().get(i);
      required[i] = column.required();
      tests[i] = test(column, plan.formats());
    }
  }

  private static Test test(Column column, ValueFormats formats) {
    if (!(column.values() instanceof Scalar type)) {
      return (bytes, start, length) -> false;
    }
    if (type.maxLength() >= 0) {
      return (bytes, start, length) -> length <= type.maxLength();
    }
    boolean point = formats.decimal() == '.';
    return switch (type.name()) {
      case "char" -> (bytes, start, length) -> length <= 1;
      case "name" -> (bytes, start, length) -> length <= ValueFormats.MAX_NAME_BYTES;
      case "int2" -> (bytes, start, length) -> isInteger(bytes, start, length, SMALLINT_DIGITS);
      case "int4" -> (bytes, start, length) -> isInteger(bytes, start, length, INTEGER_DIGITS);
      case "int8" -> (bytes, start, length) -> isInteger(bytes, start, length, BIGINT_DIGITS);
      case "float4" ->
          (bytes, start, length) -> point && isDecimal(bytes, start, length, REAL_DIGITS);
      case "float8" ->
          (bytes, start, length) -> point && isDecimal(bytes, start, length, DOUBLE_DIGITS);
      case "numeric" -> numeric(column.type(), point);
      case "uuid" -> (bytes, start, length) -> length == 36 && isUuid(bytes, start);
      case "date" ->
          (bytes, start, length) ->
              formats.date().isEmpty() && length == 10 && isDate(bytes, start);
      case "timestamp" ->
          (bytes, start, length) ->
              formats.timestamp().isEmpty() && isTimestamp(bytes, start, length);
      case "timestamptz" -> PlainValues::isTimestampWithZone;
      case "bool" -> words(formats);
      default -> {
        boolean text = ValueFormats.isText(type.name());
        yield (bytes, start, length) -> text;
      }
    };
  }

  /** Of a domain the digits that fit are not known here. */
  private static Test numeric(String type, boolean point) {
    Matcher numeric = NUMERIC.matcher(type);
    if (numeric.matches()) {
      int scale = Integer.parseInt(numeric.group(2));
      int wholes = Integer.parseInt(numeric.group(1)) - scale;
      return (bytes, start, length) -> point && fits(bytes, start, length, wholes, scale);
    }
    boolean any = point && type.equals("numeric");
    return (bytes, start, length) -> any && isDecimal(bytes, start, length, NUMERIC_DIGITS);
  }

  private static Test words(ValueFormats formats) {
    List<byte[]> words = new ArrayList<>();
    formats.trueWords().forEach(word -> words.add(word.getBytes(StandardCharsets.UTF_8)));
    formats.falseWords().forEach(word -> words.add(word.getBytes(StandardCharsets.UTF_8)));
    return (bytes, start, length) -> {
      for (byte[] word : words) {
        if (Arrays.equals(word, 0, word.length, bytes, start, start + length)) {
          return true;
        }
      }
      return false;
    };
  }

  private static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  private static boolean isInteger(byte[] bytes, int start, int length, int maxDigits) {
    int from = length > 0 && bytes[start] == '-' ? 1 : 0;
    if (length - from < 1 || length - from > maxDigits) {
      return false;
    }
    for (int i = start + from; i < start + length; i++) {
      if (!isDigit(bytes[i])) {
        return false;
      }
    }
    return true;
  }

  private static boolean isDecimal(byte[] bytes, int start, int length, int maxDigits) {
    int from = length > 0 && bytes[start] == '-' ? 1 : 0;
    int digits = 0;
    int points = 0;
    for (int i = start + from; i < start + length; i++) {
      if (isDigit(bytes[i])) {
        digits++;
      } else if (bytes[i] == '.' && digits > 0) {
        points++;
      } else {
        return false;
      }
    }
    return digits > 0 && digits <= maxDigits && points <= 1;
  }

  /** With more digits behind the point than the column keeps, rounding may need one in front. */
  private static boolean fits(byte[] bytes, int start, int length, int wholes, int scale) {
    if (!isDecimal(bytes, start, length, NUMERIC_DIGITS)) {
      return false;
    }
    int point = start;
    while (point < start + length && bytes[point] != '.') {
      point++;
    }
    int inFront = point - start - (bytes[start] == '-' ? 1 : 0);
    int behind = Math.max(start + length - point - 1, 0);
    return behind <= scale ? inFront <= wholes : inFront < wholes;
  }

  private static boolean isUuid(byte[] bytes, int start) {
    for (int i = 0; i < 36; i++) {
      byte b = bytes[start + i];
      boolean dash = i == 8 || i == 13 || i == 18 || i == 23;
      boolean hex = isDigit(b) || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
      if (dash ? b != '-' : !hex) {
        return false;
      }
    }
    return true;
  }

  /** Two digits as a number; -1 when they are none. */
  private static int two(byte[] bytes, int at) {
    return isDigit(bytes[at]) && isDigit(bytes[at + 1])
        ? (bytes[at] - '0') * 10 + bytes[at + 1] - '0'
        : -1;
  }

  /** yyyy-mm-dd of the years 1000 to 9999. */
  private static boolean isDate(byte[] bytes, int at) {
    int century = two(bytes, at);
    int year = two(bytes, at + 2);
    int month = two(bytes, at + 5);
    int day = two(bytes, at + 8);
    if (century < 10 || year < 0 || bytes[at + 4] != '-' || bytes[at + 7] != '-') {
      return false;
    }
    if (month < 1 || month > 12 || day < 1) {
      return false;
    }
    boolean leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
    return day <= DAYS[month - 1] + (month == 2 && leap ? 1 : 0);
  }

  /** A date, alone or with hh:mm, hh:mm:ss or a fraction of one to six digits behind. */
  private static boolean isTimestamp(byte[] bytes, int at, int length) {
    if (length < 10 || !isDate(bytes, at)) {
      return false;
    }
    if (length == 10) {
      return true;
    }
    boolean minutes =
        length >= 16
            && (bytes[at + 10] == ' ' || bytes[at + 10] == 'T')
            && isPart(bytes, at + 11, 23)
            && bytes[at + 13] == ':'
            && isPart(bytes, at + 14, 59);
    if (!minutes || length == 16) {
      return minutes;
    }
    if (length < 19 || bytes[at + 16] != ':' || !isPart(bytes, at + 17, 59)) {
      return false;
    }
    return length == 19 || isFraction(bytes, at + 19, length - 19);
  }

  /** A timestamp with its time, and Z, +hh, +hhmm or +hh:mm behind. */
  private static boolean isTimestampWithZone(byte[] bytes, int start, int length) {
    int zone = length - 1;
    while (zone > 10 && bytes[start + zone] != '+' && bytes[start + zone] != '-') {
      zone--;
    }
    if (length > 11 && bytes[start + length - 1] == 'Z') {
      return isTimestamp(bytes, start, length - 1);
    }
    return zone > 10
        && isTimestamp(bytes, start, zone)
        && isOffset(bytes, start + zone + 1, length - zone - 1);
  }

  private static boolean isOffset(byte[] bytes, int at, int length) {
    int minutes = length == 5 && bytes[at + 2] == ':' ? at + 3 : at + 2;
    return length >= 2
        && isPart(bytes, at, MAX_OFFSET_HOURS)
        && (length == 2 || (minutes + 2 == at + length && isPart(bytes, minutes, 59)));
  }

  private static boolean isPart(byte[] bytes, int at, int max) {
    int value = two(bytes, at);
    return value >= 0 && value <= max;
  }

  private static boolean isFraction(byte[] bytes, int at, int length) {
    if (bytes[at] != '.' || length < 2 || length > 7) {
      return false;
    }
    for (int i = at + 1; i < at + length; i++) {
      if (!isDigit(bytes[i])) {
        return false;
      }
    }
    return true;
  }

  void add(Fields record) {
    for (int i = 0; i < fields.length; i++) {
      if (!doubtful[i]) {
        int field = fields[i];
        doubtful[i] =
            record.isNull(field)
                ? required[i]
                : !tests[i].isPlain(record.bytes(), record.start(field), record.length(field));
      }
    }
  }

  /** The column is to be looked at, whatever it had. */
  void doubt(int column) {
    doubtful[column] = true;
  }

  /** True when the column had a value that PostgreSQL has to look at. */
  boolean isDoubtful(int column) {
    return doubtful[column];
  }
}
