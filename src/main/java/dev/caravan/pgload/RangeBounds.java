package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Target.Column;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/**
 * The two bounds of a {@link LoadRange} as values of its column. They are read by the same rules as
 * values of the source, but always in the form of ISO 8601 and with a decimal point: the formats
 * are those of the source, and the bounds are settings.
 */
record RangeBounds(Column column, String from, String to) {

  /** A type that has no order. */
  private static final String NO_SUCH_OPERATOR = "42883";

  /** Classes of SQLSTATE: data, a constraint, an error that PL/pgSQL raises. */
  private static final Set<String> REFUSALS = Set.of("22", "23", "P0");

  /**
   * The bounds of a range that has them.
   *
   * @see LoadRange#isBounded
   */
  static RangeBounds of(ColumnPlan plan, LoadRange range) {
    return new RangeBounds(
        plan.columns().get(plan.columnOf(range.column())),
        range.from().orElseThrow(),
        range.to().orElseThrow());
  }

  /** A condition that is true for an SQL expression of the column's type that is inside. */
  String contains(String value) {
    return "%1$s >= %2$s AND %1$s < %3$s".formatted(value, sql(from), sql(to));
  }

  private String sql(String bound) {
    String text = Identifier.literal(bound);
    String read = column.values().canonical(ValueFormats.ISO, "e0.v");
    return column.typed(
        read.equals("e0.v")
            ? text
            : "(SELECT %s FROM (VALUES (%s::text)) AS e0(v))".formatted(read, text));
  }

  /**
   * Reads the bounds before anything is loaded.
   *
   * @throws CaravanException CONFIG_INVALID when one is no value of the column's type, or the
   *     second is not behind the first
   */
  void check(Connection connection, TableName target) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      String bad =
          "SELECT v FROM (VALUES (1, %s::text), (2, %s::text)) AS e0(n, v) WHERE %s ORDER BY n"
              .formatted(
                  Identifier.literal(from),
                  Identifier.literal(to),
                  ValueCheck.isBad(column, ValueFormats.ISO, "e0.v"));
      try (ResultSet row = statement.executeQuery(bad)) {
        if (row.next()) {
          throw invalid(
              target, "'%s' is no value of it%s".formatted(row.getString(1), expected()), null);
        }
      }
      try (ResultSet row = statement.executeQuery("SELECT " + sql(from) + " < " + sql(to))) {
        row.next();
        if (!row.getBoolean(1)) {
          throw invalid(target, "the second is not behind the first", null);
        }
      }
    } catch (SQLException e) {
      if (NO_SUCH_OPERATOR.equals(e.getSQLState())) {
        throw invalid(target, "the type has no order", e);
      }
      if (e.getSQLState() != null && REFUSALS.contains(e.getSQLState().substring(0, 2))) {
        throw invalid(target, "they are no values of it" + expected(), e);
      }
      throw e;
    }
  }

  private String expected() {
    return column.values().scalar().map(s -> ValueFormats.ISO.expected(s.name())).orElse("");
  }

  private CaravanException invalid(TableName target, String problem, SQLException cause) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "Cannot load into %s: the range is from '%s' up to '%s', and its column '%s' is of type %s: %s."
            .formatted(target, from, to, column.name(), column.type(), problem),
        cause);
  }
}
