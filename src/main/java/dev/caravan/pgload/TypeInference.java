package dev.caravan.pgload;

import dev.caravan.pgload.Target.Column;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds the types of a new table: for each column the first that every staged value can be read as,
 * in the load's own formats. Numbers with leading zeros are texts, and so is a column without a
 * value.
 */
final class TypeInference {

  private static final List<ColumnType> CANDIDATES =
      Stream.of(
              "boolean",
              "bigint",
              "double precision",
              "numeric",
              "date",
              "timestamp without time zone",
              "timestamp with time zone")
          .map(ColumnType::of)
          .toList();

  /** A double keeps so many decimal digits whatever they are. */
  private static final int DOUBLE_DIGITS = 15;

  /** PostgreSQL has at most 1,664 columns in one answer. */
  private static final int COLUMNS_AT_ONCE = 1_600 / CANDIDATES.size();

  private TypeInference() {}

  static ColumnPlan infer(Connection connection, LoadSpec spec, ColumnPlan plan, Staging staging)
      throws SQLException {
    List<ColumnType> types = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      for (int from = 0; from < plan.columns().size(); from += COLUMNS_AT_ONCE) {
        int to = Math.min(from + COLUMNS_AT_ONCE, plan.columns().size());
        List<String> tests = new ArrayList<>();
        for (int i = from; i < to; i++) {
          for (ColumnType type : CANDIDATES) {
            tests.add(isOf(type, plan, i));
          }
        }
        String sql =
            tests.stream().collect(Collectors.joining(", ", "SELECT ", " FROM " + staging.table()));
        try (ResultSet row = statement.executeQuery(sql)) {
          row.next();
          for (int i = from; i < to; i++) {
            ColumnType given = spec.columnTypes().get(plan.names().get(i));
            types.add(
                given != null
                    ? given
                    : type(row, (i - from) * CANDIDATES.size(), plan.columns().get(i)));
          }
        }
      }
    }
    return plan.withTypes(types);
  }

  /** A condition on all values of column {@code i}. */
  private static String isOf(ColumnType type, ColumnPlan plan, int i) {
    String value = ColumnPlan.staged(i);
    String bad = ValueCheck.isBad(type.column("c"), plan.formats(), value);
    String zeros = value + " ~ '^[+-]?0[0-9]'";
    String decimal = Identifier.literal("" + plan.formats().decimal());
    return switch (type.sql()) {
      case "bigint" ->
          "bool_and(NOT (%s OR %s OR strpos(%s, %s) > 0))".formatted(bad, zeros, value, decimal);
      case "numeric" -> "bool_and(NOT (%s OR %s))".formatted(bad, zeros);
      // who writes exponents means floating point, unless it would lose digits
      case "double precision" ->
          "bool_and(NOT (%1$s OR %2$s OR length(regexp_replace(%3$s, '[eE].*$|[^0-9]', '', 'g')) > %4$d)) AND bool_or(%3$s ~ '[eE]')"
              .formatted(bad, zeros, value, DOUBLE_DIGITS);
      default -> "bool_and(NOT (%s))".formatted(bad);
    };
  }

  private static ColumnType type(ResultSet row, int before, Column column) throws SQLException {
    for (int i = 0; i < CANDIDATES.size(); i++) {
      if (row.getBoolean(before + i + 1)) {
        return CANDIDATES.get(i);
      }
    }
    return column.isJson() ? ColumnType.JSONB : ColumnType.TEXT;
  }
}
