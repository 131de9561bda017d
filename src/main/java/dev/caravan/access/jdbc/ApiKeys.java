package dev.caravan.access.jdbc;

import dev.caravan.access.ApiKey;
import dev.caravan.access.Caller;
import dev.caravan.access.KeyLookup;
import dev.caravan.access.Role;
import dev.caravan.database.TenantReads;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** The keys of all tenants; what callers see of them is JSON without hash and secret. */
public final class ApiKeys implements KeyLookup {

  private static final String JSON =
      """
      jsonb_build_object('id', id, 'name', name, 'role', role, 'prefix', prefix,
        'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at,
        'last_used_at', last_used_at)""";

  private final DataSource dataSource;
  private final TenantReads reads;

  /** Writes as the owner of the table, reads as the tenant. */
  public ApiKeys(DataSource dataSource, TenantReads reads) {
    this.dataSource = dataSource;
    this.reads = reads;
  }

  @Override
  public Optional<Known> find(String prefix) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement(
                """
                SELECT encode(key_sha256, 'hex'), tenant, role, id FROM caravan.api_key
                WHERE prefix = ? AND revoked_at IS NULL
                  AND (expires_at IS NULL OR expires_at > clock_timestamp())""")) {
      query.setString(1, prefix);
      try (ResultSet row = query.executeQuery()) {
        return row.next()
            ? Optional.of(
                new Known(
                    row.getString(1),
                    new Caller(
                        row.getString(2),
                        Role.of(row.getString(3)).orElseThrow(),
                        row.getString(4))))
            : Optional.empty();
      }
    }
  }

  @Override
  public void used(String prefix) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement update =
            connection.prepareStatement(
                """
                UPDATE caravan.api_key SET last_used_at = clock_timestamp() WHERE prefix = ?
                  AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')""")) {
      update.setString(1, prefix);
      update.executeUpdate();
    }
  }

  /**
   * Stores a key.
   *
   * @param expiresAt null for never
   * @return the key as JSON, without its secret
   */
  public String create(String tenant, Role role, String name, ApiKey key, Instant expiresAt)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return insert(connection, tenant, role, name, key, expiresAt);
    }
  }

  /** Stores an admin's key, unless there is any key already; false if there is. */
  public boolean createFirst(String tenant, String name, ApiKey key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      boolean none;
      // Nodes that start at the same time make one first key.
      try (PreparedStatement lock =
              connection.prepareStatement(
                  "LOCK TABLE caravan.api_key IN SHARE ROW EXCLUSIVE MODE");
          PreparedStatement query =
              connection.prepareStatement(
                  "SELECT 1 WHERE NOT EXISTS (SELECT FROM caravan.api_key)")) {
        lock.execute();
        none = first(query).isPresent();
      }
      if (none) {
        insert(connection, tenant, Role.ADMIN, name, key, null);
      }
      connection.commit();
      return none;
    }
  }

  private static String insert(
      Connection connection, String tenant, Role role, String name, ApiKey key, Instant expiresAt)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            """
            INSERT INTO caravan.api_key (id, tenant, role, name, prefix, key_sha256, expires_at)
            VALUES (?, ?, ?, ?, ?, decode(?, 'hex'), ?) RETURNING\s"""
                + JSON)) {
      insert.setObject(1, UUID.randomUUID());
      insert.setString(2, tenant);
      insert.setString(3, role.text());
      insert.setString(4, name);
      insert.setString(5, key.prefix());
      insert.setString(6, key.sha256());
      insert.setObject(7, expiresAt == null ? null : expiresAt.atOffset(ZoneOffset.UTC));
      return first(insert).orElseThrow();
    }
  }

  /** The keys of a tenant as a JSON array, the newest first, revoked ones among them. */
  public String list(String tenant) throws SQLException {
    String sql =
        "SELECT coalesce(jsonb_agg("
            + JSON
            + " ORDER BY created_at DESC), '[]') FROM caravan.api_key WHERE tenant = ?";
    return reads.text(tenant, sql, tenant).orElseThrow();
  }

  /** One key of a tenant as JSON. */
  public Optional<String> show(String tenant, UUID id) throws SQLException {
    return reads.text(
        tenant, "SELECT " + JSON + " FROM caravan.api_key WHERE tenant = ? AND id = ?", tenant, id);
  }

  /** Revokes a key for good; false when the tenant has no such key. */
  public boolean revoke(String tenant, UUID id) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement update =
            connection.prepareStatement(
                """
                UPDATE caravan.api_key SET revoked_at = coalesce(revoked_at, clock_timestamp())
                WHERE tenant = ? AND id = ?""")) {
      update.setString(1, tenant);
      update.setObject(2, id);
      return update.executeUpdate() == 1;
    }
  }

  private static Optional<String> first(PreparedStatement query) throws SQLException {
    try (ResultSet row = query.executeQuery()) {
      return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
    }
  }
}
