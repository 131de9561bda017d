package dev.caravan.setup;

import dev.caravan.database.Database;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.setup.jdbc.ConnectionTable;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import javax.sql.DataSource;

/**
 * The pools of stored connections. One is opened when it is first used, on whatever node, and
 * closed once it is idle after its connection was changed or deleted: running loads end first.
 */
public final class Pools implements AutoCloseable {

  private static final int VALID_SECONDS = 5;

  /** Each costs threads and sessions. */
  private static final int MAX_OF_TENANT = 10;

  private static final Duration REST = Duration.ofMinutes(1);

  private final ConnectionTable table;
  private final List<String> allow;
  private final int maxConnections;
  private final Duration silence;
  private final Function<String, DataSource> ofSettings;
  private final ExecutorService closer = Executors.newSingleThreadExecutor(Pools::closing);
  private final Map<UUID, LazyPool> pools = new ConcurrentHashMap<>();

  /**
   * @param allow what {@link dev.caravan.address.AllowedHosts} is told
   * @param maxConnections of each pool
   * @param silence how long a server may say nothing while it works on a statement
   * @param ofSettings the databases of connections of the settings, by name
   */
  public Pools(
      ConnectionTable table,
      List<String> allow,
      int maxConnections,
      Duration silence,
      Function<String, DataSource> ofSettings) {
    this.ofSettings = ofSettings;
    this.table = table;
    this.allow = List.copyOf(allow);
    this.maxConnections = maxConnections;
    this.silence = silence;
  }

  private static Thread closing(Runnable work) {
    Thread thread = new Thread(work, "close-pools");
    thread.setDaemon(true);
    return thread;
  }

  /** The database of a connection; asked for it when it is used. */
  public DataSource of(UUID id) {
    return pools.computeIfAbsent(id, key -> new LazyPool(() -> open(key), closer));
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
    makeRoom(connection.tenant());
    DatabaseUrl url = connection.url();
    return new LazyPool.Opened(
        connection.tenant(),
        connection.version(),
        Database.open(
            poolName(connection),
            url.jdbc(),
            url.username().orElse(null),
            url.password().orElse(null),
            maxConnections,
            silence,
            driver(connection.tenant(), allow)));
  }

  /** The pool that was not asked for longest makes room, when nobody uses it. */
  private void makeRoom(String tenant) {
    List<LazyPool> open = pools.values().stream().filter(p -> p.isOpenFor(tenant)).toList();
    if (open.size() < MAX_OF_TENANT) {
      return;
    }
    open.stream()
        .filter(pool -> pool.isIdle() && System.nanoTime() - pool.used() > REST.toNanos())
        .min(Comparator.comparingLong(LazyPool::used))
        .orElseThrow(
            () ->
                new CaravanException(
                    FailureCode.DB_UNAVAILABLE,
                    "Connections to %d databases of the tenant are in use; more are not opened at the same time."
                        .formatted(MAX_OF_TENANT)))
        .retire();
  }

  /** The old pool may be open for a while beside the new one. */
  private static String poolName(StoredConnection connection) {
    return Connections.bean(connection) + "-" + connection.version();
  }

  /**
   * The address was chosen by a tenant. The deadline of a login is the socket's: the driver's own
   * one leaves a thread behind that waits on. So is the one of the answer whether there is TLS,
   * after which the driver would begin anew without.
   */
  static Map<String, String> driver(String tenant, List<String> allow) {
    return Map.of(
        "socketFactory",
        CheckedSockets.class.getName(),
        "socketFactoryArg",
        CheckedSockets.argument(tenant, allow),
        "sslfactory",
        CheckedTls.class.getName(),
        "gssEncMode",
        "disable",
        "loginTimeout",
        "0",
        "connectTimeout",
        String.valueOf(CheckedSockets.LOGIN.toSeconds()),
        "sslResponseTimeout",
        String.valueOf(2 * CheckedSockets.LOGIN.toMillis()));
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
          driver(connection.tenant(), allow));
      return Optional.empty();
    } catch (CaravanException e) {
      return Optional.of(e.code() + ": " + e.getMessage());
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
    pools.values().parallelStream().forEach(LazyPool::close);
    closer.shutdown();
  }
}
