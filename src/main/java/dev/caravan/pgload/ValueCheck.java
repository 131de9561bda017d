package dev.caravan.pgload;

import dev.caravan.pgload.Target.Column;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Finds every staged value that its target column would refuse, or would take for something else
 * than it says, in one pass over the columns that had a value other than plain ones: {@code today}
 * is no date, {@code 1/2/3} could be three dates, NaN is no number, and char(3) would cut the
 * blanks of {@code 'abc '}.
 */
final class ValueCheck {

  private static final int FETCH_ROWS = 1_000;

  private final Connection connection;
  private final ColumnPlan plan;
  private final Staging staging;
  private final List<String> sourceColumns;
  private final Optional<LoadRange> range;
  private final ValueFormats formats;
  private final List<Condition> conditions = new ArrayList<>();

  /** Functions for types whose input may raise an error: by name the type. */
  private final Map<String, String> readers = new LinkedHashMap<>();

  /** What a bad value of a column fulfils; {@code outside} tells the range from the type. */
  private record Condition(int column, String sql, boolean outside) {}

  ValueCheck(
      Connection connection,
      ColumnPlan plan,
      LoadSpec spec,
      Staging staging,
      PlainValues values,
      List<String> sourceColumns) {
    this.connection = connection;
    this.plan = plan;
    this.staging = staging;
    this.sourceColumns = sourceColumns;
    this.range = spec.range();
    this.formats = spec.formats();
    for (int i = 0; i < plan.columns().size(); i++) {
      Column column = plan.columns().get(i);
      boolean checkedBefore = plan.keys().contains(i); // the load refuses a key without a value
      if (values.isDoubtful(i) && (!column.isText() || (column.required() && !checkedBefore))) {
        conditions.add(new Condition(i, isBad(i), false));
      }
    }
    range.ifPresent(this::addRange);
  }

  private void addRange(LoadRange bounds) {
    int i = plan.columnOf(bounds.column());
    String staged = ColumnPlan.staged(i);
    String outside = staged + " IS NULL OR " + staged + " = ''";
    if (bounds.isBounded()) {
      String value = Staging.value(plan, i);
      outside += " OR NOT (%s)".formatted(RangeBounds.of(plan, bounds).contains(value));
    }
    conditions.add(new Condition(i, outside, true));
  }

  /** Moves the bad rows from the staging table to the rejects, each with its first bad value. */
  void run(RejectLog rejects) throws SQLException {
    if (conditions.isEmpty()) {
      return;
    }
    // CASE stops at the first that is true: a range is compared when its value has been checked.
    String cases =
        IntStream.range(0, conditions.size())
            .mapToObj(i -> "WHEN %s THEN %d".formatted(conditions.get(i).sql(), i))
            .collect(Collectors.joining(" ", "CASE ", " END"));
    String sql =
        """
        SELECT * FROM (SELECT %s AS condition, s.* FROM %s s) checked
        WHERE condition IS NOT NULL ORDER BY line"""
            .formatted(cases, staging.table());
    boolean found = false;
    try (Statement statement = connection.createStatement()) {
      createReaders(statement);
      statement.setFetchSize(FETCH_ROWS);
      try (ResultSet row = statement.executeQuery(sql)) {
        while (row.next()) {
          found = true;
          if (rejects.add(reject(row))) {
            rejects.write(connection);
          }
        }
      }
      if (found) {
        statement.execute(
            "DELETE FROM %s WHERE (%s) IS NOT NULL".formatted(staging.table(), cases));
      }
      dropReaders(statement);
    }
  }

  private Reject reject(ResultSet row) throws SQLException {
    Condition condition = conditions.get(row.getInt(1));
    Column column = plan.columns().get(condition.column());
    String value = row.getString(condition.column() + 3);
    if (condition.outside()) {
      return reject(row, condition, RejectCode.OUT_OF_RANGE, outside(value));
    }
    String message =
        value == null
            ? "The field is empty; column '%s' must have a value.".formatted(column.name())
            : "'%s' is not taken by column '%s' of type %s%s."
                .formatted(
                    value,
                    column.name(),
                    column.type(),
                    column.values().scalar().map(s -> formats.expected(s.name())).orElse(""));
    RejectCode code =
        value == null
            ? RejectCode.CONSTRAINT
            : column.values().scalar().map(s -> code(s, value)).orElse(RejectCode.BAD_VALUE);
    return reject(row, condition, code, message);
  }

  private static RejectCode code(ValueType.Scalar type, String value) {
    int bytes = value.getBytes(StandardCharsets.UTF_8).length;
    boolean tooLong =
        switch (type.name()) {
          case "char" -> bytes > 1;
          case "name" -> bytes > ValueFormats.MAX_NAME_BYTES;
          default ->
              type.maxLength() >= 0 && value.codePointCount(0, value.length()) > type.maxLength();
        };
    if (tooLong) {
      return RejectCode.TOO_LONG;
    }
    return ValueFormats.isJson(type) && jsonDepth(value) > ValueFormats.MAX_JSON_DEPTH
        ? RejectCode.JSON_DEPTH
        : RejectCode.BAD_VALUE;
  }

  /** How deep brackets outside of strings nest. */
  private static int jsonDepth(String json) {
    int depth = 0;
    int deepest = 0;
    boolean quoted = false;
    for (int i = 0; i < json.length(); i++) {
      char c = json.charAt(i);
      if (c == '"') {
        quoted = !quoted;
      } else if (quoted && c == '\\') {
        i++;
      } else if (!quoted && (c == '[' || c == '{')) {
        deepest = Math.max(deepest, ++depth);
      } else if (!quoted && (c == ']' || c == '}')) {
        depth--;
      }
    }
    return deepest;
  }

  private Reject reject(ResultSet row, Condition condition, RejectCode code, String message)
      throws SQLException {
    return new Reject(
        row.getLong(2),
        -1,
        sourceColumns.get(plan.fields().get(condition.column())),
        code,
        message,
        staging.raw(row, 3));
  }

  private String outside(String value) {
    LoadRange bounds = range.orElseThrow();
    String allowed =
        bounds.isBounded()
            ? "%s up to, but not, %s"
                .formatted(bounds.from().orElseThrow(), bounds.to().orElseThrow())
            : "a value, which tells what part of the table is replaced";
    return (value == null ? "The field is empty" : "'%s' is not in the range".formatted(value))
        + "; allowed is "
        + allowed
        + ".";
  }

  private String isBad(int i) {
    Column column = plan.columns().get(i);
    String value = ColumnPlan.staged(i);
    String bad = isBad(column, formats, value, reader(i));
    return column.required() ? "(%s IS NULL OR %s)".formatted(value, bad) : bad;
  }

  /** How PostgreSQL is asked whether it reads a text as the column's type. */
  private String reader(int i) {
    Column column = plan.columns().get(i);
    if (!column.values().raises()) {
      return valid(column.type());
    }
    String function = "pg_temp.caravan_reads_" + i;
    readers.put(function, column.type());
    return function + "(%s)";
  }

  private static String valid(String type) {
    return "pg_input_is_valid(%s, " + Identifier.literal(type).replace("%", "%%") + ")";
  }

  /**
   * A condition that is true for a text that is not taken as the column's type; NULL for NULL.
   *
   * @param column of a type that does not raise
   */
  static String isBad(Column column, ValueFormats formats, String value) {
    return isBad(column, formats, value, valid(column.type()));
  }

  private static String isBad(Column column, ValueFormats formats, String value, String reader) {
    ValueType type = column.values();
    String forbidden = type.isForbidden(formats, value);
    boolean everyText =
        type instanceof ValueType.Scalar scalar && ValueFormats.isText(scalar.name());
    return everyText
        ? "(" + forbidden + ")"
        : "CASE WHEN %s THEN true WHEN %s IS NOT NULL THEN NOT %s END"
            .formatted(forbidden, value, reader.formatted(type.canonical(formats, value)));
  }

  /**
   * A type's input function, or a domain's CHECK, may end the statement instead of saying no: each
   * value is read in a block of its own, which costs some microseconds.
   */
  private void createReaders(Statement statement) throws SQLException {
    for (Map.Entry<String, String> reader : readers.entrySet()) {
      statement.execute(
          """
          CREATE OR REPLACE FUNCTION %s(value text) RETURNS boolean LANGUAGE plpgsql AS %s"""
              .formatted(
                  reader.getKey(),
                  Identifier.literal(
                      """
                      BEGIN
                        RETURN %s;
                      EXCEPTION
                        WHEN insufficient_resources OR operator_intervention OR system_error THEN RAISE;
                        WHEN OTHERS THEN RETURN false;
                      END"""
                          .formatted(valid(reader.getValue()).formatted("value")))));
    }
  }

  private void dropReaders(Statement statement) throws SQLException {
    for (String function : readers.keySet()) {
      statement.execute("DROP FUNCTION " + function + "(text)");
    }
  }
}
