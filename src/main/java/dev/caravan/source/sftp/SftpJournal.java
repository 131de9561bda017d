package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;

/** What a source must remember over restarts, and whom it tells; called on the polling thread. */
public interface SftpJournal {

  /** True when exactly this file was loaded (or skipped as loaded before) and not moved since. */
  boolean isLoadedAndThere(FileStamp file);

  /** The file was moved away after its load. */
  void moved(FileStamp file);

  /** The server could not be polled; told once until it can be again or the reason changes. */
  void unreachable(CaravanException cause);
}
