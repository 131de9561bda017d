package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/** The server's programs (initdb, postgres, pg_ctl), unpacked from the jar of this platform. */
final class PostgresPrograms {

  private final Path bin;
  private final Path log;

  private PostgresPrograms(Path bin, Path log) {
    this.bin = bin;
    this.log = log;
  }

  /**
   * Unpacks the programs under the folder unless these very ones are there already. What else is in
   * the folder (another version, the rest of a killed unpacking) is deleted.
   *
   * @param log the file that gets all output of the programs
   */
  static PostgresPrograms unpackedUnder(Path folder, Path log) throws IOException {
    byte[] archive = archive();
    Path unpacked = folder.resolve(sha256(archive).substring(0, 16));
    if (Files.notExists(unpacked)) {
      DataDirectory.delete(folder);
      Path partial = folder.resolve("partial");
      unpack(archive, partial);
      // Complete or not there at all: a kill before this line leaves only "partial".
      Files.move(partial, unpacked, StandardCopyOption.ATOMIC_MOVE);
    }
    return new PostgresPrograms(unpacked.resolve("bin"), log);
  }

  /**
   * Runs a program to its end.
   *
   * @param purpose completes "Cannot …" in the message
   * @param input what it reads from standard input
   * @throws CaravanException with the end of the log when it fails
   */
  void run(String purpose, String input, String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      // PostgreSQL refuses to run as root; in a user namespace of its own it does not see that.
      command.addAll(List.of("unshare", "-U"));
    }
    command.add(bin.resolve(program).toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C");
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    Process process = builder.start();
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(input.getBytes(StandardCharsets.UTF_8));
    }
    if (await(process) != 0) {
      throw failure(purpose);
    }
  }

  private CaravanException failure(String purpose) throws IOException {
    List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
    String end = String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
    return new CaravanException(
        codeFor(end), "Cannot %s. The end of %s says why:%n%s".formatted(purpose, log, end));
  }

  /** The code for what the system or PostgreSQL says. */
  static FailureCode codeFor(String reason) {
    return reason.contains("No space left on device")
        ? FailureCode.DB_DISK_FULL
        : FailureCode.DB_UNAVAILABLE;
  }

  private static int await(Process process) {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new CaravanException(
          FailureCode.INTERRUPTED, "Interrupted while the embedded PostgreSQL was started.", e);
    }
  }

  private static boolean isRoot() {
    boolean root = ProcessHandle.current().info().user().filter("root"::equals).isPresent();
    if (root && !LinuxUtils.isUnshareAvailable()) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "The embedded PostgreSQL cannot run as root here: it needs the command 'unshare -U' "
              + "(package util-linux), which is missing or forbidden, as it is in many containers. "
              + "Run Caravan as an ordinary user, or give it a database of your own.");
    }
    return root;
  }

  private static byte[] archive() throws IOException {
    String system = System.getProperty("os.name");
    String machine = System.getProperty("os.arch");
    try (InputStream archive =
        DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(
            system, machine.equals("amd64") ? "x86_64" : machine)) {
      return archive.readAllBytes();
    } catch (IllegalStateException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "This build of Caravan has no embedded PostgreSQL for %s on %s. "
                  .formatted(system, machine)
              + "Build it on this machine, or give it a database of your own.",
          e);
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static void unpack(byte[] archive, Path folder) throws IOException {
    try (var tar =
        new TarArchiveInputStream(new XZInputStream(new ByteArrayInputStream(archive)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        unpack(entry, tar, folder.resolve(entry.getName()));
      }
    }
  }

  private static void unpack(TarArchiveEntry entry, InputStream content, Path file)
      throws IOException {
    Files.createDirectories(entry.isDirectory() ? file : file.getParent());
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
    } else if (entry.isFile()) {
      Files.copy(content, file);
      boolean executable = (entry.getMode() & 0100) != 0;
      if (executable && !file.toFile().setExecutable(true, true)) {
        throw new IOException("cannot make executable: " + file);
      }
    }
  }
}
