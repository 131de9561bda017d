package dev.caravan.setup;

import dev.caravan.address.AllowedHosts;
import dev.caravan.secret.Secrets;
import dev.caravan.setup.jdbc.ConnectionTable;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The connections that tenants have, those of the settings among them. */
public final class Connections {

  /** The tenant to which belongs what stands in settings and files. */
  public static final String OPERATOR = "default";

  private static final String BEAN = "connection-";

  private final ConnectionTable table;
  private final List<StoredConnection> ofSettings;
  private final AllowedHosts hosts;
  private final Secrets secrets;

  /**
   * @param ofSettings those of the settings, read only
   * @param hosts where connections may go
   */
  public Connections(
      ConnectionTable table,
      List<StoredConnection> ofSettings,
      AllowedHosts hosts,
      Secrets secrets) {
    this.table = table;
    this.ofSettings = List.copyOf(ofSettings);
    this.hosts = hosts;
    this.secrets = secrets;
  }

  /** The id of a connection of the settings: the same on every node and after every start. */
  public static UUID idOf(String nameInSettings) {
    return UUID.nameUUIDFromBytes(
        ("caravan.connections." + nameInSettings).getBytes(StandardCharsets.UTF_8));
  }

  /** All of a tenant, by name. */
  public List<StoredConnection> list(String tenant) throws SQLException {
    List<StoredConnection> all = new ArrayList<>(table.list(tenant));
    ofSettings.stream().filter(c -> c.tenant().equals(tenant)).forEach(all::add);
    all.sort(Comparator.comparing(StoredConnection::name));
    return all;
  }

  /** One of a tenant. */
  public Optional<StoredConnection> find(String tenant, UUID id) throws SQLException {
    return list(tenant).stream().filter(c -> c.id().equals(id)).findFirst();
  }

  /** One of a tenant by its name. */
  public Optional<StoredConnection> find(String tenant, String name) throws SQLException {
    return list(tenant).stream().filter(c -> c.name().equals(name)).findFirst();
  }

  /** The name by which routes and jobs know the database of a connection. */
  public static String bean(StoredConnection connection) {
    return connection.readOnly() ? connection.name() : BEAN + connection.id();
  }

  /** The connection of such a name; empty for one of the settings. */
  public static Optional<UUID> ofBean(String name) {
    return name.matches(BEAN + "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
        ? Optional.of(UUID.fromString(name.substring(BEAN.length())))
        : Optional.empty();
  }

  /**
   * Adds one.
   *
   * @throws RefusedSetup when it breaks a rule or the name is taken
   */
  public StoredConnection create(String tenant, String name, String description, String url)
      throws SQLException {
    DatabaseUrl parsed = checked(url);
    requireNotOfSettings(tenant, name);
    return table.create(tenant, name, description, parsed);
  }

  /**
   * Replaces one; empty when the tenant has no such connection.
   *
   * @throws RefusedSetup as above, and when a new login comes without its password
   */
  public Optional<StoredConnection> replace(
      String tenant, UUID id, String name, String description, String url) throws SQLException {
    if (requireOwn(tenant, id).isEmpty()) {
      return Optional.empty();
    }
    DatabaseUrl parsed = checked(url);
    requireNotOfSettings(tenant, name);
    return table.replace(tenant, id, name, description, parsed);
  }

  /** Removes one; false when the tenant has no such connection. */
  public boolean delete(String tenant, UUID id) throws SQLException {
    return requireOwn(tenant, id).isPresent() && table.delete(tenant, id);
  }

  private Optional<StoredConnection> requireOwn(String tenant, UUID id) throws SQLException {
    Optional<StoredConnection> found = find(tenant, id);
    if (found.filter(StoredConnection::readOnly).isPresent()) {
      throw RefusedSetup.conflict("The connection stands in the settings; change it there.");
    }
    return found;
  }

  private void requireNotOfSettings(String tenant, String name) {
    if (ofSettings.stream().anyMatch(c -> c.tenant().equals(tenant) && c.name().equals(name))) {
      throw RefusedSetup.conflict("There is a connection '%s' already.".formatted(name));
    }
  }

  private DatabaseUrl checked(String url) {
    DatabaseUrl parsed = DatabaseUrl.parse(url);
    Optional<String> refusal = hosts.refusal(parsed.host(), parsed.port());
    if (refusal.isPresent()) {
      throw RefusedSetup.invalid(
          "/database_url",
          refusal.get()
              + "; allowed are public addresses and what the operator adds by caravan.connections.allow");
    }
    if (parsed.password().isPresent() && !secrets.canEncrypt()) {
      throw RefusedSetup.invalid(
          "/database_url",
          "found a password, which cannot be kept: the operator has set no caravan.secrets.key");
    }
    return parsed;
  }
}
