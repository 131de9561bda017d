package dev.caravan.project;

import java.time.Duration;
import java.util.Optional;

/**
 * Where the files are and what becomes of them.
 *
 * @param server empty when the server of the settings is meant
 * @param remotePath folder on the server
 * @param moveTo folder on the server for loaded files, relative to {@code remotePath} unless it
 *     begins with a slash; has no meaning with {@link AfterLoad#KEEP}
 * @param pollInterval time between two looks into the folder
 * @param doneMarker empty when a file is complete once it no longer changes
 * @param stable how long size and time of a file must have been the same, as we saw them, before it
 *     is loaded; zero for two polls
 * @param byContent whether files that were loaded are read again by each import, because neither
 *     size nor time may tell that they changed
 */
public record SftpConfig(
    Optional<SftpServer> server,
    String remotePath,
    AfterLoad afterLoad,
    String moveTo,
    Duration pollInterval,
    Optional<DoneMarker> doneMarker,
    Duration stable,
    Links links,
    boolean byContent,
    Download download) {

  /** The same folder on a server. */
  public SftpConfig at(SftpServer other) {
    return new SftpConfig(
        Optional.of(other),
        remotePath,
        afterLoad,
        moveTo,
        pollInterval,
        doneMarker,
        stable,
        links,
        byContent,
        download);
  }

  /** What becomes of a file on the server once its rows are committed. */
  public enum AfterLoad {
    MOVE,
    KEEP
  }

  /** Which symbolic links are files of the folder. */
  public enum Links {
    /** Those that lead to a file in or below the folder. */
    INSIDE,
    ANYWHERE
  }

  /** How the bytes of a file reach the load. */
  public enum Download {
    STREAM,
    /** Copied to the local disk first. */
    TEMP_FILE
  }
}
