package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The directory that keeps the embedded database between runs, held by one process at a time. */
final class DataDirectory implements AutoCloseable {

  /**
   * What this JVM holds. POSIX drops all locks of a process on a file when it closes any descriptor
   * of that file, so a second open in the same JVM would silently free the first one's lock.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileChannel lock;

  private DataDirectory(Path directory, FileChannel lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /**
   * Makes the directory if need be and takes its {@code caravan.lock}, which the system frees when
   * the process ends in whatever way.
   *
   * @throws CaravanException CONFIG_INVALID when a living process holds it
   */
  static DataDirectory lock(Path path) throws IOException {
    Path directory = Files.createDirectories(path).toRealPath();
    Path file = directory.resolve("caravan.lock");
    if (!HELD.add(directory)) {
      throw inUse(directory, ProcessHandle.current().pid() + " (this one)");
    }
    FileChannel channel = null;
    boolean locked = false;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      locked = channel.tryLock() != null;
      if (!locked) {
        throw inUse(directory, Files.readString(file).strip());
      }
      String pid = ProcessHandle.current().pid() + "\n";
      channel.truncate(0).write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
      return new DataDirectory(directory, channel);
    } finally {
      if (!locked) {
        HELD.remove(directory);
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  private static CaravanException inUse(Path directory, String pid) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "The data directory %s is in use by another Caravan, process %s. ".formatted(directory, pid)
            + "Stop that one, or give this one a directory of its own.");
  }

  /** PostgreSQL's own data directory. */
  Path cluster() {
    return directory.resolve("postgres");
  }

  /** Where the server's programs are unpacked. */
  Path programs() {
    return directory.resolve("postgres-programs");
  }

  /** What PostgreSQL and its tools say. */
  Path log() {
    return directory.resolve("postgres.log");
  }

  /** Deletes a directory with all that is in it; nothing happens when it does not exist. */
  static void delete(Path tree) throws IOException {
    if (Files.notExists(tree)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(tree)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** Makes an empty file that only its owner reads and writes, on POSIX systems. */
  static void createPrivateFile(Path file) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      HELD.remove(directory);
    }
  }
}
