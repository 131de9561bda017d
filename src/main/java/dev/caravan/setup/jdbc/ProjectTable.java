package dev.caravan.setup.jdbc;

import dev.caravan.database.TenantReads;
import dev.caravan.secret.Secrets;
import dev.caravan.secret.Secrets.Place;
import dev.caravan.setup.Projects;
import dev.caravan.setup.RefusedSetup;
import dev.caravan.setup.StoredProject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** Projects of all tenants. */
public final class ProjectTable {

  private static final String SELECT =
      """
      SELECT id, tenant, name, connection_id, config, version, created_at, updated_at
      FROM caravan.project\s""";

  /** Configurations that one answer has at the most, in bytes. */
  private static final int MOST_CONFIG_BYTES = 4_000_000;

  private final DataSource dataSource;
  private final TenantReads reads;
  private final SecretTable secrets;

  /**
   * What is to be written.
   *
   * @param config JSON without secrets
   * @param secrets by their fields
   */
  public record Draft(
      String tenant, String name, UUID connectionId, String config, Map<String, String> secrets) {
    /** Without the secrets. */
    @Override
    public String toString() {
      return "Draft[" + tenant + ", " + name + "]";
    }
  }

  /** Writes as the owner of the table, reads for callers as their tenant. */
  public ProjectTable(DataSource dataSource, TenantReads reads, Secrets secrets) {
    this.dataSource = dataSource;
    this.reads = reads;
    this.secrets = new SecretTable(secrets);
  }

  /**
   * Those of a tenant, by name.
   *
   * @param after only those whose name comes later than this
   * @param most rows; empty for all
   * @return projects, without their configuration where the configurations before come to 4 MB
   */
  public List<StoredProject> list(String tenant, String after, Optional<Integer> most)
      throws SQLException {
    String sql =
        """
        SELECT id, tenant, name, connection_id,
          CASE WHEN sum(octet_length(config::text)) OVER (ORDER BY name COLLATE "C") <= ? THEN config END,
          version, created_at, updated_at
        FROM (SELECT * FROM caravan.project WHERE tenant = ? AND name COLLATE "C" > ?
              ORDER BY name COLLATE "C" LIMIT ?) page
        ORDER BY name COLLATE "C"
        """;
    return reads.read(
        tenant,
        connection -> {
          try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setInt(1, MOST_CONFIG_BYTES);
            query.setString(2, tenant);
            query.setString(3, after);
            query.setObject(4, most.orElse(null), Types.INTEGER);
            return rows(query);
          }
        });
  }

  /** One of a tenant by its name. */
  public Optional<StoredProject> find(String tenant, String name) throws SQLException {
    return reads.read(
        tenant,
        connection -> {
          try (PreparedStatement query =
              connection.prepareStatement(SELECT + "WHERE tenant = ? AND name = ?")) {
            query.setString(1, tenant);
            query.setString(2, name);
            return rows(query).stream().findFirst();
          }
        });
  }

  /** The version of one of a tenant; empty when there is none of the name. */
  public Optional<Long> version(String tenant, String name) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement(
                "SELECT version FROM caravan.project WHERE tenant = ? AND name = ?")) {
      query.setString(1, tenant);
      query.setString(2, name);
      try (ResultSet row = query.executeQuery()) {
        return row.next() ? Optional.of(row.getLong(1)) : Optional.empty();
      }
    }
  }

  /** What becomes another one with each change of one of all tenants. */
  public Projects.Mark mark() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement(
                "SELECT count(*), coalesce(sum(version), 0)::bigint FROM caravan.project");
        ResultSet row = query.executeQuery()) {
      row.next();
      return new Projects.Mark(row.getLong(1), row.getLong(2));
    }
  }

  /** The versions of those of all tenants, by {@link StoredProject#key()}. */
  public Map<String, Long> versions() throws SQLException {
    Map<String, Long> versions = new HashMap<>();
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query =
            connection.prepareStatement("SELECT tenant, name, version FROM caravan.project");
        ResultSet row = query.executeQuery()) {
      while (row.next()) {
        versions.put(StoredProject.key(row.getString(1), row.getString(2)), row.getLong(3));
      }
    }
    return versions;
  }

  /** The secrets of a project, by their fields. */
  public Map<String, String> secrets(UUID id) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return secrets.of(connection, id);
    }
  }

  /** Adds one. */
  public StoredProject create(Draft draft) throws SQLException {
    return Transaction.in(
        dataSource,
        connection -> {
          UUID id = UUID.randomUUID();
          holdConnection(connection, draft);
          try (PreparedStatement insert =
              connection.prepareStatement(
                  """
                  INSERT INTO caravan.project (connection_id, config, id, tenant, name)
                  VALUES (?, ?::json, ?, ?, ?)""")) {
            insert.setObject(1, draft.connectionId());
            insert.setString(2, draft.config());
            insert.setObject(3, id);
            insert.setString(4, draft.tenant());
            insert.setString(5, draft.name());
            insert.executeUpdate();
          } catch (SQLException e) {
            throw Rows.named(e, "project '%s'".formatted(draft.name()));
          }
          putSecrets(connection, id, draft);
          return one(connection, id);
        });
  }

  /** Replaces one, if it is still of the version; else somebody else was faster. */
  public StoredProject replace(StoredProject before, Draft draft) throws SQLException {
    return Transaction.in(
        dataSource,
        connection -> {
          holdConnection(connection, draft);
          try (PreparedStatement update =
              connection.prepareStatement(
                  """
                  UPDATE caravan.project SET connection_id = ?, config = ?::json,
                    version = nextval('caravan.setup_version'), updated_at = clock_timestamp()
                  WHERE id = ? AND version = ?""")) {
            update.setObject(1, draft.connectionId());
            update.setString(2, draft.config());
            update.setObject(3, before.id());
            update.setLong(4, before.version());
            if (update.executeUpdate() == 0) {
              throw RefusedSetup.conflict("Somebody else changed the project; look at it again.");
            }
          }
          secrets.remove(connection, before.id());
          putSecrets(connection, before.id(), draft);
          return one(connection, before.id());
        });
  }

  /** A connection must not be deleted while a project is written that names it. */
  private static void holdConnection(Connection connection, Draft draft) throws SQLException {
    try (PreparedStatement lock =
        connection.prepareStatement("SELECT FROM caravan.connection WHERE id = ? FOR SHARE")) {
      lock.setObject(1, draft.connectionId());
      lock.execute();
    }
  }

  private void putSecrets(Connection connection, UUID id, Draft draft) throws SQLException {
    for (Map.Entry<String, String> secret : draft.secrets().entrySet()) {
      secrets.put(connection, new Place(draft.tenant(), id, secret.getKey()), secret.getValue());
    }
  }

  /** Removes one of a tenant; false when the tenant has no such project. */
  public boolean delete(String tenant, UUID id) throws SQLException {
    return Transaction.in(
        dataSource,
        connection -> {
          try (PreparedStatement delete =
              connection.prepareStatement(
                  "DELETE FROM caravan.project WHERE tenant = ? AND id = ?")) {
            delete.setString(1, tenant);
            delete.setObject(2, id);
            boolean found = delete.executeUpdate() == 1;
            if (found) {
              secrets.remove(connection, id);
            }
            return found;
          }
        });
  }

  private static StoredProject one(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement query = connection.prepareStatement(SELECT + "WHERE id = ?")) {
      query.setObject(1, id);
      return rows(query).get(0);
    }
  }

  private static List<StoredProject> rows(PreparedStatement query) throws SQLException {
    return Rows.all(query, ProjectTable::row);
  }

  private static StoredProject row(ResultSet row) throws SQLException {
    return new StoredProject(
        row.getObject(1, UUID.class),
        row.getString(2),
        row.getString(3),
        row.getObject(4, UUID.class),
        row.getString(5),
        row.getLong(6),
        Rows.instant(row, 7),
        Rows.instant(row, 8),
        false);
  }
}
