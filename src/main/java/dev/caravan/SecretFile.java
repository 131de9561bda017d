package dev.caravan;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;

/** A file that only its owner can read. */
final class SecretFile {

  private SecretFile() {}

  /** Makes a folder, if it is not there, and lets nobody else into it. */
  static void keepFolder(Path folder) {
    try {
      Files.createDirectories(folder);
      if (Files.getFileStore(folder).supportsFileAttributeView(PosixFileAttributeView.class)) {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
      }
    } catch (IOException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "caravan.data: %s cannot be made a folder of the owner alone: %s".formatted(folder, e),
          e);
    }
  }

  /** Writes it anew; its folder is made if it is not there. */
  static void replace(Path file, String secret) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.deleteIfExists(file);
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(file, secret);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + file, e);
    }
  }
}
