package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Names a database error by its SQLSTATE (PostgreSQL manual, appendix A). */
public final class SqlFailure {

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
    if (state.startsWith("23") || isRowSecurity(e)) {
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

  /** True when the row, not the statement, is at fault: constraint, trigger, policy, value. */
  static boolean isRowError(SQLException e) {
    String state = e.getSQLState() == null ? "" : e.getSQLState();
    return state.startsWith("23")
        || state.startsWith("22")
        || state.equals("P0001")
        || isRowSecurity(e);
  }

  static boolean isUniqueViolation(SQLException e) {
    return "23505".equals(e.getSQLState());
  }

  private static boolean isRowSecurity(SQLException e) {
    return "42501".equals(e.getSQLState()) && e.getMessage().contains("row-level security");
  }

  /** The server's words without the driver's decoration. */
  static String message(SQLException e) {
    ServerErrorMessage server =
        e instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
    if (server == null) {
      return e.getMessage();
    }
    String detail = server.getDetail() == null ? "" : " " + server.getDetail();
    return server.getMessage() + detail + " (SQLSTATE " + e.getSQLState() + ")";
  }
}
