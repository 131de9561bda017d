package dev.caravan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What the embedded SFTP server finds in the data folder. */
final class EmbeddedFolder {

  private EmbeddedFolder() {}

  /** Makes the server's root from the samples, unless it is there already. */
  static void fillOnFirstStart(Path root, Path samples) throws IOException {
    if (Files.exists(root)) {
      return;
    }
    Path export = Files.createDirectories(root.resolve("export"));
    Path source = samples.resolve("export");
    if (Files.isDirectory(source)) {
      try (Stream<Path> files = Files.list(source)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          Files.copy(file, export.resolve(file.getFileName()));
        }
      }
    }
  }

  /** A password of this installation's own, made on the first start, readable by its owner only. */
  static String password(Path file) throws IOException {
    return secret(
        file,
        () -> {
          byte[] random = new byte[16];
          new SecureRandom().nextBytes(random);
          return HexFormat.of().formatHex(random);
        });
  }

  /** What the file has; made on the first start, readable by its owner only. */
  static String secret(Path file, Supplier<String> made) throws IOException {
    if (!Files.exists(file)) {
      SecretFile.replace(file, made.get());
    }
    return Files.readString(file).strip();
  }
}
