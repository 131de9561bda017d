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
 */
public record SftpConfig(
    Optional<SftpServer> server,
    String remotePath,
    AfterLoad afterLoad,
    String moveTo,
    Duration pollInterval,
    Optional<DoneMarker> doneMarker,
    Download download) {

  /** The same folder on a server. */
  public SftpConfig at(SftpServer other) {
    return new SftpConfig(
        Optional.of(other), remotePath, afterLoad, moveTo, pollInterval, doneMarker, download);
  }

  /** What becomes of a file on the server once its rows are committed. */
  public enum AfterLoad {
    MOVE,
    KEEP
  }

  /** How the bytes of a file reach the load. */
  public enum Download {
    STREAM,
    /** Copied to the local disk first. */
    TEMP_FILE
  }
}
