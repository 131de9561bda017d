package dev.caravan.setup.jdbc;

import dev.caravan.database.TenantReads;
import dev.caravan.secret.Secrets;
import dev.caravan.secret.Secrets.Place;
import dev.caravan.setup.DatabaseUrl;
import dev.caravan.setup.RefusedSetup;
import dev.caravan.setup.StoredConnection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** Connections of all tenants. */
public final class ConnectionTable {

  private static final String PASSWORD = "password";
  private static final String SELECT =
      """
      SELECT id, tenant, name, description, url, has_password, version, created_at, updated_at
      FROM caravan.connection\s""";

  private final DataSource dataSource;
  private final TenantReads reads;
  private final SecretTable secrets;

  /** Writes as the owner of the table, reads for callers as their tenant. */
  public ConnectionTable(DataSource dataSource, TenantReads reads, Secrets secrets) {
    this.dataSource = dataSource;
    this.reads = reads;
    this.secrets = new SecretTable(secrets);
  }

  /** Why stored secrets cannot be decrypted, one text for each key that they need. */
  public List<String> unreadable() throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return secrets.unreadable(connection);
    }
  }

  /** Those of a tenant, by name. */
  public List<StoredConnection> list(String tenant) throws SQLException {
    return reads.read(
        tenant,
        connection -> {
          try (PreparedStatement query =
              connection.prepareStatement(SELECT + "WHERE tenant = ? ORDER BY name")) {
            query.setString(1, tenant);
            return rows(query);
          }
        });
  }

  /** One of a tenant. */
  public Optional<StoredConnection> find(String tenant, UUID id) throws SQLException {
    return reads.read(
        tenant,
        connection -> {
          try (PreparedStatement query =
              connection.prepareStatement(SELECT + "WHERE tenant = ? AND id = ?")) {
            query.setString(1, tenant);
            query.setObject(2, id);
            return rows(query).stream().findFirst();
          }
        });
  }

  /** One of a tenant by its name. */
  public Optional<StoredConnection> find(String tenant, String name) throws SQLException {
    return list(tenant).stream().filter(c -> c.name().equals(name)).findFirst();
  }

  /** One of any tenant, with its address and password, to be opened. */
  public Optional<StoredConnection> open(UUID id) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(SELECT + "WHERE id = ?")) {
      query.setObject(1, id);
      Optional<StoredConnection> found = rows(query).stream().findFirst();
      if (found.isEmpty()) {
        return found;
      }
      Optional<String> password = Optional.ofNullable(secrets.of(connection, id).get(PASSWORD));
      return found.map(c -> withUrl(c, c.url().withPassword(password)));
    }
  }

  private static StoredConnection withUrl(StoredConnection c, DatabaseUrl url) {
    return new StoredConnection(
        c.id(),
        c.tenant(),
        c.name(),
        c.description(),
        url,
        c.shownUrl(),
        c.hasPassword(),
        c.version(),
        c.createdAt(),
        c.updatedAt(),
        c.readOnly());
  }

  /** The version of each connection of all tenants. */
  public Map<UUID, Long> versions() throws SQLException {
    Map<UUID, Long> versions = new HashMap<>();
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement("SELECT id, version FROM caravan.connection");
        ResultSet row = query.executeQuery()) {
      while (row.next()) {
        versions.put(row.getObject(1, UUID.class), row.getLong(2));
      }
    }
    return versions;
  }

  /** Adds one. */
  public StoredConnection create(String tenant, String name, String description, DatabaseUrl url)
      throws SQLException {
    UUID id = UUID.randomUUID();
    return Transaction.in(
        dataSource,
        connection -> {
          try (PreparedStatement insert =
              connection.prepareStatement(
                  """
                  INSERT INTO caravan.connection (tenant, name, description, url, has_password, id)
                  VALUES (?, ?, ?, ?, ?, ?)""")) {
            set(insert, tenant, name, description, url, url.password().isPresent());
            insert.setObject(6, id);
            insert.executeUpdate();
          } catch (SQLException e) {
            throw Rows.named(e, "connection '%s'".formatted(name));
          }
          putPassword(connection, tenant, id, url);
          return one(connection, id);
        });
  }

  /**
   * Replaces one of a tenant; without a password the stored one stays.
   *
   * @return empty when the tenant has no such connection
   */
  public Optional<StoredConnection> replace(
      String tenant, UUID id, String name, String description, DatabaseUrl url)
      throws SQLException {
    return Transaction.in(
        dataSource,
        connection -> {
          Optional<StoredConnection> before = lock(connection, tenant, id);
          if (before.isEmpty()) {
            return before;
          }
          requirePassword(before.get(), url);
          if (!before.get().name().equals(name)) {
            requireUnused(connection, before.get(), "keeps its name");
          }
          try (PreparedStatement update =
              connection.prepareStatement(
                  """
                  UPDATE caravan.connection SET tenant = ?, name = ?, description = ?, url = ?,
                    has_password = ?, version = nextval('caravan.setup_version'),
                    updated_at = clock_timestamp() WHERE id = ?""")) {
            boolean keeps = before.get().hasPassword();
            set(update, tenant, name, description, url, keeps || url.password().isPresent());
            update.setObject(6, id);
            update.executeUpdate();
          } catch (SQLException e) {
            throw Rows.named(e, "connection '%s'".formatted(name));
          }
          putPassword(connection, tenant, id, url);
          return Optional.of(one(connection, id));
        });
  }

  /** Whoever sets a new address must know the password; else it would be sent to that address. */
  private static void requirePassword(StoredConnection before, DatabaseUrl url) {
    if (before.hasPassword() && url.password().isEmpty() && !url.hasLoginOf(before.url())) {
      throw RefusedSetup.invalid(
          "/database_url",
          "host, port, user or sslmode is another and the password is missing; allowed is the same login, or one with its password");
    }
  }

  /** Removes one of a tenant that no project names; false when the tenant has no such one. */
  public boolean delete(String tenant, UUID id) throws SQLException {
    return Transaction.in(
        dataSource,
        connection -> {
          Optional<StoredConnection> before = lock(connection, tenant, id);
          if (before.isEmpty()) {
            return false;
          }
          requireUnused(connection, before.get(), "stays");
          secrets.remove(connection, id);
          try (PreparedStatement delete =
              connection.prepareStatement("DELETE FROM caravan.connection WHERE id = ?")) {
            delete.setObject(1, id);
            delete.executeUpdate();
          }
          return true;
        });
  }

  private static Optional<StoredConnection> lock(Connection connection, String tenant, UUID id)
      throws SQLException {
    try (PreparedStatement query =
        connection.prepareStatement(SELECT + "WHERE tenant = ? AND id = ? FOR UPDATE")) {
      query.setString(1, tenant);
      query.setObject(2, id);
      return rows(query).stream().findFirst();
    }
  }

  private static void requireUnused(Connection connection, StoredConnection used, String what)
      throws SQLException {
    try (PreparedStatement query =
        connection.prepareStatement(
            "SELECT name FROM caravan.project WHERE connection_id = ? ORDER BY name LIMIT 1")) {
      query.setObject(1, used.id());
      try (ResultSet row = query.executeQuery()) {
        if (row.next()) {
          throw RefusedSetup.conflict(
              "Project %s uses the connection; it %s.".formatted(row.getString(1), what));
        }
      }
    }
  }

  private static void set(
      PreparedStatement statement,
      String tenant,
      String name,
      String description,
      DatabaseUrl url,
      boolean hasPassword)
      throws SQLException {
    statement.setString(1, tenant);
    statement.setString(2, name);
    statement.setString(3, description);
    statement.setString(4, url.stored());
    statement.setBoolean(5, hasPassword);
  }

  private void putPassword(Connection connection, String tenant, UUID id, DatabaseUrl url)
      throws SQLException {
    if (url.password().isPresent()) {
      secrets.put(connection, new Place(tenant, id, PASSWORD), url.password().get());
    }
  }

  private static StoredConnection one(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement query = connection.prepareStatement(SELECT + "WHERE id = ?")) {
      query.setObject(1, id);
      return rows(query).get(0);
    }
  }

  private static List<StoredConnection> rows(PreparedStatement query) throws SQLException {
    return Rows.all(query, ConnectionTable::row);
  }

  private static StoredConnection row(ResultSet row) throws SQLException {
    DatabaseUrl url = DatabaseUrl.parse(row.getString(5));
    return new StoredConnection(
        row.getObject(1, UUID.class),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        url,
        url.masked(row.getBoolean(6)),
        row.getBoolean(6),
        row.getLong(7),
        Rows.instant(row, 8),
        Rows.instant(row, 9),
        false);
  }
}
