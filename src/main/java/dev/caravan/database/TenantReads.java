package dev.caravan.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;

/**
 * Reads for one tenant. Each query names the tenant itself; behind it PostgreSQL's row-level
 * security shows a role that owns no table only the rows of that tenant, so that a predicate that
 * was forgotten shows nothing.
 */
public final class TenantReads {

  /** The role that reads; it cannot log in. */
  public static final String ROLE = "caravan_reader";

  private static final Set<String> MAY_NOT = Set.of("42501");
  private static final Set<String> MADE_BY_ANOTHER_NODE = Set.of("42710", "23505", "XX000");

  /** The hash of a key is not among what the role may read. */
  private static final String PREPARE =
      """
      DO $$
      BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('caravan_reader'));
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'caravan_reader') THEN
          CREATE ROLE caravan_reader NOLOGIN;
        END IF;
        IF NOT pg_has_role(current_user, 'caravan_reader', 'SET') THEN
          GRANT caravan_reader TO CURRENT_USER;
        END IF;
        GRANT USAGE ON SCHEMA caravan TO caravan_reader;
        GRANT SELECT ON caravan.job, caravan.job_load, caravan.job_error, caravan.job_progress,
          caravan.job_log, caravan.job_report, caravan.connection, caravan.project,
          caravan.data_ingestion, caravan.sync_report TO caravan_reader;
        GRANT SELECT (id, tenant, role, name, prefix, created_at, expires_at, revoked_at, last_used_at)
          ON caravan.api_key TO caravan_reader;
      END $$""";

  private final DataSource dataSource;
  private final boolean guarded;

  /** What is read within one transaction. */
  @FunctionalInterface
  public interface Query<T> {
    /** Runs it. */
    T run(Connection connection) throws SQLException;
  }

  private TenantReads(DataSource dataSource, boolean guarded) {
    this.dataSource = dataSource;
    this.guarded = guarded;
  }

  /** Makes the role and gives it what it may read, if our login may do so. */
  public static TenantReads prepare(DataSource dataSource) throws SQLException {
    try {
      execute(dataSource, PREPARE);
    } catch (SQLException e) {
      if (MAY_NOT.contains(e.getSQLState())) {
        return new TenantReads(dataSource, false);
      }
      if (!MADE_BY_ANOTHER_NODE.contains(e.getSQLState())) {
        throw e;
      }
      execute(dataSource, PREPARE);
    }
    return new TenantReads(dataSource, true);
  }

  private static void execute(DataSource dataSource, String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** False when the login may not make the role: then the predicates stand alone. */
  public boolean guarded() {
    return guarded;
  }

  /** Runs a query that changes nothing, as the tenant. */
  public <T> T read(String tenant, Query<T> query) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setReadOnly(true);
      connection.setAutoCommit(false);
      try {
        if (guarded) {
          become(connection, tenant);
        }
        return query.run(connection);
      } finally {
        connection.rollback();
      }
    }
  }

  /**
   * The first column of the first row, as the tenant; empty when there is no row.
   *
   * @param values of the query's parameters, in their order; null for NULL
   */
  public Optional<String> text(String tenant, String sql, Object... values) throws SQLException {
    return read(
        tenant,
        connection -> {
          try (PreparedStatement query = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
              query.setObject(i + 1, values[i]);
            }
            try (ResultSet row = query.executeQuery()) {
              return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
            }
          }
        });
  }

  private static void become(Connection connection, String tenant) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT set_config('role', ?, true), set_config('caravan.tenant', ?, true)")) {
      statement.setString(1, ROLE);
      statement.setString(2, tenant);
      statement.execute();
    }
  }
}
