package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A real PostgreSQL 18 of our own on 127.0.0.1, whose data stays between runs. It runs with
 * PostgreSQL's durable defaults: what was committed survives a kill and a power cut.
 *
 * <p>It has one database, {@code caravan}, and one role that may log in, {@code caravan}: the owner
 * of the database, no superuser. Its password is made on the first start and kept in {@code
 * <data>/postgres/caravan.password}. Text is UTF-8 and sorts by code point.
 */
public final class EmbeddedDatabase implements AutoCloseable {

  private static final String ADDRESS = "127.0.0.1";

  /**
   * Beside the address, what loads gain by, measured with files of 1.5 million rows (a 10 % changed
   * reload took 0.7 of its time with these buffers) and of 9 million (it wrote 4 GB of write-ahead
   * log instead of 22: fewer checkpoints, fewer full pages).
   */
  private static final List<String> SETTINGS =
      List.of(
          "listen_addresses=" + ADDRESS,
          "unix_socket_directories=",
          "shared_buffers=512MB",
          "max_wal_size=4GB");

  /** The checkpoint at the end writes at most shared_buffers. */
  private static final Duration STOP_PATIENCE = Duration.ofSeconds(60);

  /** Recovery after a kill replays at most about max_wal_size. */
  private static final Duration START_PATIENCE = Duration.ofMinutes(5);

  private final DataDirectory data;
  private final Postmaster postmaster;
  private final int port;
  private final String password;
  private final AtomicBoolean closed = new AtomicBoolean();

  private EmbeddedDatabase(DataDirectory data, Postmaster postmaster, int port, String password) {
    this.data = data;
    this.postmaster = postmaster;
    this.port = port;
    this.password = password;
  }

  /**
   * Starts the server, with the data of earlier runs if there were any. What a killed Caravan left
   * running on the same data is stopped first.
   *
   * @param dataDirectory made if need be; everything is kept in it, the server's log too
   * @param port 0 for any that is free
   * @throws CaravanException CONFIG_INVALID when the port is taken, another Caravan uses the
   *     directory, its data is another PostgreSQL's, or PostgreSQL cannot run here at all;
   *     DB_DISK_FULL or DB_UNAVAILABLE, with the end of the server's log, for anything else
   */
  public static EmbeddedDatabase start(Path dataDirectory, int port) {
    try {
      DataDirectory data = DataDirectory.lock(dataDirectory);
      try {
        return start(data, port);
      } catch (IOException | RuntimeException e) {
        data.close();
        throw e;
      }
    } catch (IOException e) {
      throw new CaravanException(
          PostgresPrograms.codeFor(e.toString()),
          "Cannot start the embedded PostgreSQL in %s: %s".formatted(dataDirectory, e),
          e);
    }
  }

  private static EmbeddedDatabase start(DataDirectory data, int wantedPort) throws IOException {
    var cluster = new PostgresCluster(data.cluster());
    cluster.requireOurVersion();
    var postmaster = new Postmaster(data.cluster(), data.programs());
    postmaster.stop(STOP_PATIENCE);
    int port = requireFree(wantedPort);
    renewLog(data.log());
    var programs = PostgresPrograms.unpackedUnder(data.programs(), data.log());
    cluster.createIfMissing(programs);
    try {
      startServer(data, programs, port);
      return new EmbeddedDatabase(data, postmaster, port, cluster.password());
    } catch (IOException | RuntimeException e) {
      postmaster.stop(STOP_PATIENCE);
      throw e;
    }
  }

  private static int requireFree(int port) throws IOException {
    byte[] loopback = {127, 0, 0, 1};
    try (var socket = new ServerSocket(port, 1, InetAddress.getByAddress(loopback))) {
      return socket.getLocalPort();
    } catch (BindException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "The embedded PostgreSQL cannot listen on %s:%d (%s). "
                  .formatted(ADDRESS, port, e.getMessage())
              + "Free the port, or set caravan.embedded.database.port to another one (0: any).",
          e);
    }
  }

  /** The log of this run, with that of the run before beside it. */
  private static void renewLog(Path log) throws IOException {
    if (Files.exists(log)) {
      Path previous = log.resolveSibling(log.getFileName() + ".1");
      Files.move(log, previous, StandardCopyOption.REPLACE_EXISTING);
    }
    DataDirectory.createPrivateFile(log); // errors quote rows
  }

  private static void startServer(DataDirectory data, PostgresPrograms programs, int port)
      throws IOException {
    programs.run(
        "start the embedded PostgreSQL on %s:%d".formatted(ADDRESS, port),
        "",
        "pg_ctl",
        "start",
        "--pgdata=" + data.cluster(),
        "--wait",
        "--timeout=" + START_PATIENCE.toSeconds(),
        "--options=-c port=%d -c %s".formatted(port, String.join(" -c ", SETTINGS)));
  }

  /** Where to connect, without the role and its password. */
  public String jdbcUrl() {
    return "jdbc:postgresql://%s:%d/%s".formatted(ADDRESS, port, PostgresCluster.NAME);
  }

  /** The port on 127.0.0.1. */
  public int port() {
    return port;
  }

  /** The role to log in as; it owns the database and is no superuser. */
  public String username() {
    return PostgresCluster.NAME;
  }

  /** What that role logs in with. A secret. */
  public String password() {
    return password;
  }

  /** Stops the server; open transactions are rolled back. Does nothing when called again. */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return; // the directory may be another Caravan's by now
    }
    try (data) {
      postmaster.stop(STOP_PATIENCE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot stop the embedded PostgreSQL", e);
    }
  }
}
