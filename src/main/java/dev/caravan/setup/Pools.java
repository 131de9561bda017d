package dev.caravan.setup;

import dev.caravan.address.CheckedSockets;
import dev.caravan.database.Database;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.setup.jdbc.ConnectionTable;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import javax.sql.DataSource;

/**
 * The pools of stored connections. One is opened when it is first used, on whatever node, and
 * closed once it is idle after its connection was changed or deleted: running loads end first.
 */
public final class Pools implements AutoCloseable {

  private static final int VALID_SECONDS = 5;

  private final ConnectionTable table;
  private final List<String> allow;
  private final int maxConnections;
  private final Function<String, DataSource> ofSettings;
  private final Map<UUID, LazyPool> pools = new ConcurrentHashMap<>();

  /**
   * @param allow what {@link dev.caravan.address.AllowedHosts} is told
   * @param maxConnections of each pool
   * @param ofSettings the databases of connections of the settings, by name
   */
  public Pools(
      ConnectionTable table,
      List<String> allow,
      int maxConnections,
      Function<String, DataSource> ofSettings) {
    this.ofSettings = ofSettings;
    this.table = table;
    this.allow = List.copyOf(allow);
    this.maxConnections = maxConnections;
  }

  /** The database of a connection; asked for it when it is used. */
  public DataSource of(UUID id) {
    return pools.computeIfAbsent(id, key -> new LazyPool(() -> open(key)));
  }

  /**
   * Opens a connection.
   *
   * @throws CaravanException CONFIG_INVALID when it is gone, DB_UNAVAILABLE when nobody answers
   */
  LazyPool.Opened open(UUID id) throws SQLException {
    StoredConnection connection =
        table
            .open(id)
            .orElseThrow(
                () ->
                    new CaravanException(
                        FailureCode.CONFIG_INVALID, "The connection %s is gone.".formatted(id)));
    DatabaseUrl url = connection.url();
    return new LazyPool.Opened(
        connection.version(),
        Database.open(
            poolName(connection),
            url.jdbc(),
            url.username().orElse(null),
            url.password().orElse(null),
            maxConnections,
            onlyAllowedHosts()));
  }

  /** The old pool may be open for a while beside the new one. */
  private static String poolName(StoredConnection connection) {
    return Connections.bean(connection) + "-" + connection.version();
  }

  /** The address was chosen by a tenant. */
  private Map<String, String> onlyAllowedHosts() {
    return Map.of(
        "socketFactory",
        CheckedSockets.class.getName(),
        "socketFactoryArg",
        String.join(",", allow));
  }

  /**
   * Logs in once.
   *
   * @return empty when it went well, else what went wrong
   */
  public Optional<String> test(StoredConnection connection) throws SQLException {
    if (connection.readOnly()) {
      return test(ofSettings.apply(connection.name()));
    }
    try {
      Optional<StoredConnection> opened = table.open(connection.id());
      if (opened.isEmpty()) {
        return Optional.of("The connection is gone.");
      }
      DatabaseUrl url = opened.get().url();
      Database.check(
          connection.name(),
          url.jdbc(),
          url.username().orElse(null),
          url.password().orElse(null),
          onlyAllowedHosts());
      return Optional.empty();
    } catch (CaravanException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static Optional<String> test(DataSource database) {
    try (Connection session = database.getConnection()) {
      return session.isValid(VALID_SECONDS)
          ? Optional.empty()
          : Optional.of("The session is not valid.");
    } catch (SQLException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Looks what was changed or deleted; to be done every few seconds. */
  public void refresh() throws SQLException {
    Map<UUID, Long> versions = pools.isEmpty() ? Map.of() : table.versions();
    Iterator<Map.Entry<UUID, LazyPool>> all = pools.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<UUID, LazyPool> pool = all.next();
      pool.getValue().keepOnly(versions.getOrDefault(pool.getKey(), -1L));
    }
  }

  @Override
  public void close() {
    pools.values().forEach(LazyPool::close);
  }
}
