package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import java.util.Set;

/** What a poll must remember over restarts and nodes, and whom it tells; on the polling thread. */
public interface SftpJournal {

  /** The files, each in one state, that have a job or are loaded. */
  Set<FileStamp> taken();

  /** The server could not be polled; told once until it can be again or the reason changes. */
  void unreachable(CaravanException cause);
}
