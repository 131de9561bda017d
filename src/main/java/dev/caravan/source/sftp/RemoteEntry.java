package dev.caravan.source.sftp;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import org.apache.camel.component.file.remote.SftpRemoteFile;

/**
 * One name in a folder, as the server shows it. A link has kind, size and time of what it leads to.
 *
 * @param size in bytes; more than a long can hold is its greatest value, which no file reaches
 * @param modifiedAtMillis since 1970 by the server's clock, before it less than zero
 * @param isLink whether the name is a symbolic link
 * @param inside whether it is, or leads to something, in the folder or below it
 */
record RemoteEntry(
    String name, Kind kind, long size, long modifiedAtMillis, boolean isLink, boolean inside)
    implements SftpRemoteFile<Void> {

  private static final int MAX_NAME_BYTES = 255;

  /** What there is under a name. */
  enum Kind {
    /** Also what a server shows that says of nothing what kind it is. */
    FILE,
    FOLDER,
    /** A link whose end is not there, leads around in a circle, or may not be looked at. */
    BROKEN_LINK,
    /** A pipe, a device or a socket, which might never answer. */
    SPECIAL
  }

  RemoteEntry {
    size = size < 0 ? Long.MAX_VALUE : size;
  }

  FileStamp stamp() {
    return new FileStamp(name, size, Instant.ofEpochMilli(modifiedAtMillis));
  }

  /** A folder, or a name that the system hides: nobody expects it to be loaded. */
  boolean isAside() {
    return kind == Kind.FOLDER || name.startsWith(".");
  }

  /**
   * Why it is never opened; empty for a file.
   *
   * @param anyLink whether links may lead out of the folder
   */
  Optional<String> refusal(boolean anyLink) {
    if (!hasSafeName(name)) {
      return Optional.of("its name could be taken for a path or a pattern, or is no UTF-8");
    }
    return switch (kind) {
      case FOLDER -> Optional.of("it is a folder");
      case BROKEN_LINK -> Optional.of("it is a link that leads nowhere");
      case SPECIAL -> Optional.of("it is no file but a pipe, a device or a socket");
      case FILE ->
          inside || anyLink
              ? Optional.empty()
              : Optional.of("it is a link that leaves remote_path; allowed with links: anywhere");
    };
  }

  /** Names are the server's word: none that could be taken for a path or a pattern. */
  static boolean hasSafeName(String name) {
    return !name.isEmpty()
        && !name.startsWith(".")
        && name.getBytes(StandardCharsets.UTF_8).length <= MAX_NAME_BYTES
        && name.chars().allMatch(RemoteEntry::isSafe);
  }

  private static boolean isSafe(int c) {
    return !Character.isISOControl(c) && "/\\*?[]\ufffd".indexOf(c) < 0;
  }

  /** The name for a log or a message: nothing in it ends a line. */
  String printable() {
    return name.replaceAll("\\p{Cntrl}", "?");
  }

  /** Empty: Camel would take size and time of a link from it. */
  @Override
  public Void getRemoteFile() {
    return null;
  }

  @Override
  public String getFilename() {
    return name;
  }

  @Override
  public String getLongname() {
    return name;
  }

  @Override
  public boolean isDirectory() {
    return kind == Kind.FOLDER;
  }

  @Override
  public long getFileLength() {
    return size;
  }

  @Override
  public long getLastModified() {
    return modifiedAtMillis;
  }
}
