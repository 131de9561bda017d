package dev.caravan.pgload;

import dev.caravan.pgload.Target.Column;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
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
        conditions.add(new Condition(i, isBad(column, ColumnPlan.staged(i)), false));
      }
    }
    range.ifPresent(this::addRange);
  }

  private void addRange(LoadRange bounds) {
    int i = plan.columnOf(bounds.column());
    String staged = ColumnPlan.staged(i);
    String outside = staged + " IS NULL OR " + staged + " = ''";
    if (bounds.isBounded()) {
      Column column = plan.columns().get(i);
      outside +=
          " OR %1$s < %2$s OR %1$s >= %3$s"
              .formatted(
                  Staging.value(plan, i),
                  column.typed(Identifier.literal(bounds.from().orElseThrow())),
                  column.typed(Identifier.literal(bounds.to().orElseThrow())));
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
    }
  }

  private Reject reject(ResultSet row) throws SQLException {
    Condition condition = conditions.get(row.getInt(1));
    Column column = plan.columns().get(condition.column());
    String value = row.getString(condition.column() + 3);
    if (condition.outside()) {
      return reject(row, condition, RejectCode.OUT_OF_RANGE, outside(value));
    }
    boolean tooLong =
        column.maxLength() >= 0
            && value != null
            && value.codePointCount(0, value.length()) > column.maxLength();
    String message =
        value == null
            ? "The field is empty; column '%s' must have a value.".formatted(column.name())
            : "'%s' is not taken by column '%s' of type %s%s."
                .formatted(value, column.name(), column.type(), formats.expected(column.type()));
    RejectCode code =
        tooLong
            ? RejectCode.TOO_LONG
            : value == null ? RejectCode.CONSTRAINT : RejectCode.BAD_VALUE;
    return reject(row, condition, code, message);
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

  private String isBad(Column column, String value) {
    String bad = valueIsBad(column, value);
    return column.required() ? "(%s IS NULL OR %s)".formatted(value, bad) : bad;
  }

  private String valueIsBad(Column column, String value) {
    if (column.maxLength() >= 0) {
      return "char_length(%s) > %d".formatted(value, column.maxLength());
    }
    if (column.isText()) {
      return "false";
    }
    return formats.isBad(column.type(), value);
  }
}
