package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the transactions of a load set for themselves, so that nothing which the role, the database
 * or the server has as its default decides what a load does. Everything is set for one transaction:
 * a pooler may give the next one another session.
 *
 * <p>Three defaults are kept. A database that is read-only by default is so because somebody wants
 * it. {@code search_path} belongs to the triggers of the target: names of a load's own are
 * qualified. And a {@code synchronous_commit} other than off waits for what its owner wants.
 */
final class SessionSettings {

  /** Transactions time out since this version. */
  private static final int TRANSACTION_TIMEOUT = 17;

  private static final Map<String, String> SETTINGS =
      Map.ofEntries(
          Map.entry("statement_timeout", "0"), // jobs have limits of their own
          Map.entry("lock_timeout", "0"),
          Map.entry("DateStyle", "'ISO, MDY'"),
          Map.entry("IntervalStyle", "'postgres'"),
          Map.entry("TimeZone", "'UTC'"),
          Map.entry("bytea_output", "'hex'"),
          Map.entry("extra_float_digits", "1"),
          Map.entry("xmloption", "'content'"),
          Map.entry("array_nulls", "on"),
          Map.entry("standard_conforming_strings", "on"),
          Map.entry("transform_null_equals", "off"),
          Map.entry("quote_all_identifiers", "off"),
          Map.entry("row_security", "on"));

  private static final String SET =
      "SET TRANSACTION ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE"
          + SETTINGS.entrySet().stream()
              .map(setting -> "; SET LOCAL %s = %s".formatted(setting.getKey(), setting.getValue()))
              .collect(Collectors.joining());

  /** What the session has set itself, as our pools do, holds; what it came with does not. */
  private static final String SET_UNLESS_OURS =
      """
      SELECT set_config(name, CASE name WHEN 'synchronous_commit' THEN 'on' ELSE '0' END, true)
      FROM pg_settings
      WHERE name = 'idle_in_transaction_session_timeout' AND source <> 'session' AND setting <> '0'
         OR name = 'synchronous_commit' AND setting = 'off'""";

  private SessionSettings() {}

  /** Sets them; to be called before anything else is done in a transaction. */
  static void apply(Connection connection) throws SQLException {
    boolean timesOut = connection.getMetaData().getDatabaseMajorVersion() >= TRANSACTION_TIMEOUT;
    try (Statement statement = connection.createStatement()) {
      String timeout = timesOut ? "; SET LOCAL transaction_timeout = 0; " : "; ";
      statement.execute(
          SET + timeout + SET_UNLESS_OURS); // at once: the shortest timeout is too late
    }
  }
}
