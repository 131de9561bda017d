package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.regex.Pattern;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Names a database error by its SQLSTATE (PostgreSQL manual, appendix A). */
public final class SqlFailure {

  /**
   * Connection, feature, state of the transaction, login, catalog, rollback, syntax and rights,
   * resources, state of an object, operator, system, configuration, corruption.
   */
  private static final Pattern NO_ROW_ERRORS =
      Pattern.compile("^(08|0A|25|28|2B|2D|34|3D|3F|40|42|53|55|57|58|F0|XX00[12])");

  private SqlFailure() {}

  /** The error as a failure with a code; {@code what} says what was being done. */
  public static CaravanException of(String what, SQLException e) {
    return new CaravanException(code(e), what + ": " + message(e), e);
  }

  /** The code for the error's SQLSTATE. */
  public static FailureCode code(SQLException e) {
    String state = e.getSQLState() == null ? "" : e.getSQLState();
    if (e instanceof SQLTransientConnectionException // the pool could not get a connection in time
        || state.isEmpty() // the pool's word, not the server's: the connection broke before
        || state.startsWith("08")
        || state.startsWith("57P")) {
      return FailureCode.DB_UNAVAILABLE;
    }
    if (state.startsWith("23") || isRowSecurity(state, e.getMessage())) {
      return FailureCode.CONSTRAINT_VIOLATION;
    }
    return switch (state) {
      case "40001", "40P01", "55P03" -> FailureCode.DB_CONFLICT;
      // it can only be read (a standby, or one that is being moved); no memory; no connection left
      case "25006", "53200", "53300" -> FailureCode.DB_UNAVAILABLE;
      case "53100" -> FailureCode.DB_DISK_FULL;
      case "42501" -> FailureCode.DB_PERMISSION;
      default -> FailureCode.DB_ERROR;
    };
  }

  /**
   * True when the row, not the statement, is at fault: constraint, trigger, policy, value. A
   * trigger may have a SQLSTATE of its own, so all count but those which tell of something else.
   */
  static boolean isRowError(SQLException e) {
    return isRowError(e.getSQLState(), e.getMessage(), where(e));
  }

  /** The same for an error that a function of ours has caught. */
  static boolean isRowError(String sqlState, String message, String context) {
    String state = sqlState == null ? "" : sqlState;
    boolean ofRow = !state.isEmpty() && !NO_ROW_ERRORS.matcher(state).find();
    return ofRow
        || isRowSecurity(state, message)
        || (context.startsWith("PL/pgSQL") && isRaised(context));
  }

  private static boolean isRaised(String context) {
    return context.lines().findFirst().orElse("").endsWith(" RAISE");
  }

  private static String where(SQLException e) {
    ServerErrorMessage server = server(e);
    return server == null || server.getWhere() == null ? "" : server.getWhere();
  }

  /** True when the server did not like the statement, and not because it stops or is full. */
  static boolean isOfStatement(SQLException e) {
    return isRowError(e) || (e.getSQLState() != null && e.getSQLState().startsWith("42"));
  }

  /** True for a row that fits no page and a key that fits no index. */
  static boolean isTooLarge(String sqlState) {
    return "54000".equals(sqlState);
  }

  static boolean isUniqueViolation(SQLException e) {
    return "23505".equals(e.getSQLState());
  }

  private static boolean isRowSecurity(String sqlState, String message) {
    return "42501".equals(sqlState) && message.contains("row-level security");
  }

  /** The server's words without the driver's decoration. */
  static String message(SQLException e) {
    ServerErrorMessage server = server(e);
    return server == null
        ? e.getMessage()
        : message(server.getMessage(), server.getDetail(), e.getSQLState());
  }

  /**
   * The same for an error that a function of ours has caught.
   *
   * @param detail null or empty where there is none
   */
  static String message(String message, String detail, String sqlState) {
    String more = detail == null || detail.isEmpty() ? "" : " " + detail;
    return message + more + " (SQLSTATE " + sqlState + ")";
  }

  private static ServerErrorMessage server(SQLException e) {
    return e instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
  }
}
