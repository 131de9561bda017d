package dev.caravan.source.entry;

import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** The one folder, with those below it, that callers may name files of. */
public final class AllowedFolder {

  private static final int MAX_NAME = 1_024;

  private final String folder;
  private final String pointer;
  private final String setting;

  /**
   * @param folder of this machine; empty to let callers name no file
   * @param pointer where callers name a file in their request, as a JSON pointer
   * @param setting that says the folder, for messages
   */
  public AllowedFolder(String folder, String pointer, String setting) {
    this.folder = folder;
    this.pointer = pointer;
    this.setting = setting;
  }

  /**
   * The file of a name, which stands below the folder, also behind all symbolic links.
   *
   * @param name relative to the folder, with slashes
   * @throws InvalidParameter CONFIG_INVALID when the name leads elsewhere or no folder is set;
   *     SOURCE_GONE when there is no such file; SOURCE_DENIED when it cannot be read
   */
  public Path file(String name) {
    if (folder.isBlank()) {
      throw new InvalidParameter(
          FailureCode.CONFIG_INVALID,
          pointer,
          "no folder is set whose files may be named; set %s.".formatted(setting));
    }
    Path root = Path.of(folder).toAbsolutePath().normalize();
    Path file = below(root, name);
    try {
      if (!Files.isRegularFile(file)) {
        throw new InvalidParameter(
            FailureCode.SOURCE_GONE,
            pointer,
            "there is no file '%s' in the folder of %s.".formatted(name, setting));
      }
      Path real = file.toRealPath();
      if (!real.startsWith(root.toRealPath())) {
        throw elsewhere();
      }
      return real;
    } catch (IOException e) {
      throw new InvalidParameter(
          FailureCode.SOURCE_DENIED, pointer, "'%s' cannot be read.".formatted(name), e);
    }
  }

  private Path below(Path root, String name) {
    if (name == null || name.isBlank() || name.length() > MAX_NAME || !isPlain(name)) {
      throw elsewhere();
    }
    try {
      Path relative = Path.of(name);
      for (Path element : relative) {
        if (element.toString().equals("..") || element.toString().equals(".")) {
          throw elsewhere();
        }
      }
      Path file = root.resolve(relative).normalize();
      if (relative.isAbsolute() || !file.startsWith(root) || file.equals(root)) {
        throw elsewhere();
      }
      return file;
    } catch (InvalidPathException e) {
      throw elsewhere();
    }
  }

  /** Characters that another program, or another step, might read as a way out. */
  private static boolean isPlain(String name) {
    return name.codePoints()
        .noneMatch(c -> c == '\\' || c == '%' || c == ':' || c == '~' || Character.isISOControl(c));
  }

  private InvalidParameter elsewhere() {
    return new InvalidParameter(
        FailureCode.CONFIG_INVALID,
        pointer,
        "allowed is the name of a file in the folder of %s, such as travel-2025.csv or 2025/travel.csv."
            .formatted(setting));
  }
}
