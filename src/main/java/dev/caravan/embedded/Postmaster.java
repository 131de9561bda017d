package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the server processes of a data directory. They are no children of this JVM (pg_ctl starts
 * them) and survive its kill.
 *
 * <p>The caller holds the {@link DataDirectory}, so nobody else needs these processes.
 */
final class Postmaster {

  private static final Logger LOG = LoggerFactory.getLogger(Postmaster.class);

  private final Path pidFile;
  private final Path programs;

  /**
   * @param cluster PostgreSQL's data directory
   * @param programs where its programs are: a process that runs one of them belongs to the cluster,
   *     whatever its number
   */
  Postmaster(Path cluster, Path programs) {
    this.pidFile = cluster.resolve("postmaster.pid");
    this.programs = programs;
  }

  /**
   * Stops the server if it runs: open transactions are rolled back and a checkpoint is written. If
   * that takes longer than the patience, it is killed, and the next start recovers from the
   * write-ahead log.
   */
  void stop(Duration patience) throws IOException {
    Optional<ProcessHandle> server = named().filter(this::isOurs);
    if (server.isPresent() && !stopInOrder(server.get(), patience)) {
      LOG.warn("Killing PostgreSQL, process {}: not stopped in {}", server.get().pid(), patience);
    }
    // Also of a server that was killed before: its backends live on until they next look for it.
    if (!await(patience, () -> killAll().isEmpty())) {
      throw new CaravanException(
          FailureCode.DB_UNAVAILABLE,
          "PostgreSQL processes of %s do not end, not even when killed: %s. End them, then start again."
              .formatted(pidFile.getParent(), killAll()));
    }
    // After a restart of the machine or the container the number in the file may be anybody's, and
    // PostgreSQL would take that process for its own server and refuse to start.
    Files.deleteIfExists(pidFile);
  }

  private boolean stopInOrder(ProcessHandle server, Duration patience) throws IOException {
    // ProcessHandle can only send TERM, on which PostgreSQL waits for its clients without end.
    new ProcessBuilder("sh", "-c", "kill -INT " + server.pid())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
    return await(patience, () -> !isOurs(server));
  }

  private List<Long> killAll() {
    List<ProcessHandle> rest = ProcessHandle.allProcesses().filter(this::isOurs).toList();
    rest.forEach(ProcessHandle::destroyForcibly);
    return rest.stream().map(ProcessHandle::pid).toList();
  }

  /** The process that has the number in the pid file, dead or alive. */
  private Optional<ProcessHandle> named() throws IOException {
    try {
      String pid = Files.readAllLines(pidFile).get(0).strip();
      return ProcessHandle.of(Long.parseLong(pid));
    } catch (NoSuchFileException | IndexOutOfBoundsException | NumberFormatException e) {
      return Optional.empty(); // no file, or one that a power cut left empty
    }
  }

  /**
   * Not for a process that has ended and whose exit nobody collected, although the system still
   * lists it: in a container where Caravan is process 1, for ever.
   */
  private boolean isOurs(ProcessHandle process) {
    return process.info().command().filter(path -> Path.of(path).startsWith(programs)).isPresent();
  }

  private static boolean await(Duration patience, BooleanSupplier condition) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    return condition.getAsBoolean();
  }
}
