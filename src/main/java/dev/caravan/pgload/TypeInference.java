package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Finds the types of a new table: for each column the first that every staged value can be read as,
 * in the load's own formats. Numbers with leading zeros are texts, and so is a column without a
 * value.
 */
final class TypeInference {

  private static final List<String> CANDIDATES =
      List.of(
          "boolean",
          "bigint",
          "numeric",
          "date",
          "timestamp without time zone",
          "timestamp with time zone");

  /** PostgreSQL has at most 1,664 columns in one answer. */
  private static final int COLUMNS_AT_ONCE = 1_600 / CANDIDATES.size();

  private TypeInference() {}

  static ColumnPlan infer(Connection connection, ColumnPlan plan, Staging staging)
      throws SQLException {
    List<String> types = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      for (int from = 0; from < plan.columns().size(); from += COLUMNS_AT_ONCE) {
        int to = Math.min(from + COLUMNS_AT_ONCE, plan.columns().size());
        List<String> tests = new ArrayList<>();
        for (int i = from; i < to; i++) {
          for (String type : CANDIDATES) {
            tests.add("bool_and(NOT (%s))".formatted(isNo(type, plan, i)));
          }
        }
        String sql =
            tests.stream().collect(Collectors.joining(", ", "SELECT ", " FROM " + staging.table()));
        try (ResultSet row = statement.executeQuery(sql)) {
          row.next();
          for (int i = from; i < to; i++) {
            types.add(type(row, (i - from) * CANDIDATES.size(), plan.columns().get(i).type()));
          }
        }
      }
    }
    return plan.withTypes(types);
  }

  private static String isNo(String type, ColumnPlan plan, int i) {
    String value = ColumnPlan.staged(i);
    String bad = plan.formats().isBad(type, value);
    boolean number = type.equals("bigint") || type.equals("numeric");
    return number ? "%s OR %s ~ '^[+-]?0[0-9]'".formatted(bad, value) : bad;
  }

  private static String type(ResultSet row, int before, String otherwise) throws SQLException {
    for (int i = 0; i < CANDIDATES.size(); i++) {
      if (row.getBoolean(before + i + 1)) {
        return CANDIDATES.get(i);
      }
    }
    return otherwise;
  }
}
