package dev.caravan.pgload;

import dev.caravan.pgload.Target.Column;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds every staged value that its target column would refuse, or would take for something else
 * than it says, in one pass: {@code today} is no date, {@code 1/2/3} could be three dates, NaN is
 * no number, and char(3) would cut the blanks of {@code 'abc '}.
 */
final class ValueCheck {

  private static final String NUMBER = "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?$";
  private static final String DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}";
  private static final String TIME = "[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?";
  private static final String ZONE = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)$";

  private static final int FETCH_ROWS = 1_000;

  private final Connection connection;
  private final ColumnPlan plan;
  private final List<String> sourceColumns;
  private final Map<Integer, String> conditions = new LinkedHashMap<>();

  ValueCheck(Connection connection, ColumnPlan plan, List<String> sourceColumns) {
    this.connection = connection;
    this.plan = plan;
    this.sourceColumns = sourceColumns;
    for (int i = 0; i < plan.columns().size(); i++) {
      Column column = plan.columns().get(i);
      boolean checkedBefore = plan.keys().contains(i); // the load refuses a key without a value
      if (!column.isText() || (column.required() && !checkedBefore)) {
        conditions.put(i, isBad(column, ColumnPlan.staged(i)));
      }
    }
  }

  /** Moves the bad rows from the staging table to the rejects, each with its first bad value. */
  void run(RejectLog rejects) throws SQLException {
    if (conditions.isEmpty()) {
      return;
    }
    StringBuilder cases = new StringBuilder();
    conditions.forEach((i, bad) -> cases.append("WHEN %s THEN %d ".formatted(bad, i)));
    String sql =
        """
        SELECT * FROM (SELECT CASE %s END AS field, s.* FROM %s s) checked
        WHERE field IS NOT NULL ORDER BY line"""
            .formatted(cases, Staging.TABLE);
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(FETCH_ROWS);
      try (ResultSet row = statement.executeQuery(sql)) {
        while (row.next()) {
          if (rejects.add(reject(row))) {
            rejects.write(connection);
          }
        }
      }
      statement.execute(
          "DELETE FROM %s WHERE %s"
              .formatted(Staging.TABLE, String.join(" OR ", conditions.values())));
    }
  }

  private Reject reject(ResultSet row) throws SQLException {
    int field = row.getInt(1);
    Column column = plan.columns().get(field);
    String value = row.getString(field + 3);
    boolean tooLong =
        column.maxLength() >= 0
            && value != null
            && value.codePointCount(0, value.length()) > column.maxLength();
    String message =
        value == null
            ? "The field is empty; column '%s' must have a value.".formatted(column.name())
            : "'%s' is not taken by column '%s' of type %s%s."
                .formatted(value, column.name(), column.type(), expected(column));
    return new Reject(
        row.getLong(2),
        -1,
        sourceColumns.get(field),
        tooLong
            ? RejectCode.TOO_LONG
            : value == null ? RejectCode.CONSTRAINT : RejectCode.BAD_VALUE,
        message,
        Staging.csv(row, 3, plan.columns().size()));
  }

  private static String expected(Column column) {
    return switch (kind(column)) {
      case "date" -> "; expected is yyyy-mm-dd";
      case "timestamp without time zone" -> "; expected is yyyy-mm-dd hh:mm:ss without a zone";
      case "timestamp with time zone" -> "; expected is yyyy-mm-dd hh:mm:ss with a zone";
      case "boolean" -> "; expected is true or false";
      default -> "";
    };
  }

  /** The type without its modifier. */
  private static String kind(Column column) {
    return column.type().replaceAll("\\([^)]*\\)", "");
  }

  private static String isBad(Column column, String value) {
    String bad = valueIsBad(column, value);
    return column.required() ? "(%s IS NULL OR %s)".formatted(value, bad) : bad;
  }

  private static String valueIsBad(Column column, String value) {
    if (column.maxLength() >= 0) {
      return "char_length(%s) > %d".formatted(value, column.maxLength());
    }
    if (column.isText()) {
      return "false";
    }
    String invalid =
        "NOT pg_input_is_valid(%s, %s)".formatted(value, Identifier.literal(column.type()));
    String pattern =
        switch (kind(column)) {
          case "numeric", "real", "double precision" -> NUMBER;
          case "date" -> DATE + "$";
          case "timestamp without time zone" -> DATE + "(" + TIME + ")?$";
          case "timestamp with time zone" -> DATE + TIME + ZONE;
          case "boolean" -> "^(true|false|t|f|TRUE|FALSE|True|False)$";
          default -> null;
        };
    return pattern == null
        ? invalid
        : "(%s !~ %s OR %s)".formatted(value, Identifier.literal(pattern), invalid);
  }
}
