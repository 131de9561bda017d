package dev.caravan.torture;

import static org.awaitility.Awaitility.await;

import dev.caravan.embedded.EmbeddedDatabase;
import dev.caravan.failure.CaravanException;
import dev.caravan.testing.FreePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PostgreSQL whose processes are killed. {@code fsync} is off, because the machine itself does
 * not crash; {@code synchronous_commit} stays on: what it has confirmed survives its own end.
 */
final class CrashingPostgres implements AutoCloseable {

  private final Path folder;
  private final int port = FreePort.find();
  private EmbeddedDatabase database;

  /** Starts it with a new cluster in the folder. */
  CrashingPostgres(Path folder) throws IOException {
    this.folder = folder;
    database = EmbeddedDatabase.start(folder, port);
    Files.writeString(
        folder.resolve("postgres/postgresql.conf"),
        "fsync = off\nmax_connections = 300\n",
        StandardOpenOption.APPEND);
    restart();
  }

  int port() {
    return port;
  }

  String password() {
    return database.password();
  }

  /** Connections past all proxies. */
  PGSimpleDataSource dataSource() {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(database.jdbcUrl());
    source.setUser(database.username());
    source.setPassword(database.password());
    source.setApplicationName("torture");
    return source;
  }

  private Optional<ProcessHandle> postmaster() throws IOException {
    String pid = Files.readAllLines(folder.resolve("postgres/postmaster.pid")).get(0).strip();
    return ProcessHandle.of(Long.parseLong(pid));
  }

  /** {@code kill -9} of the postmaster; its backends live on until they notice. */
  void killPostmaster() throws IOException {
    postmaster().orElseThrow().destroyForcibly();
  }

  /** As {@code pg_ctl stop -m immediate}: all processes end at once, without a checkpoint. */
  void stopImmediately() throws IOException, InterruptedException {
    ProcessHandle postmaster = postmaster().orElseThrow();
    new ProcessBuilder("kill", "-QUIT", String.valueOf(postmaster.pid())).start().waitFor();
    await().atMost(Duration.ofSeconds(30)).until(() -> !postmaster.isAlive());
  }

  /** Starts it again; a start may fail while processes of before are not gone yet. */
  void restart() {
    database.close();
    await()
        .atMost(Duration.ofSeconds(90))
        .ignoreExceptionsInstanceOf(CaravanException.class)
        .until(
            () -> {
              database = EmbeddedDatabase.start(folder, port);
              return true;
            });
  }

  @Override
  public void close() {
    database.close();
  }
}
