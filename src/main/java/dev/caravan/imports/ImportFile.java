package dev.caravan.imports;

import dev.caravan.source.sftp.FileStamp;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.Callable;

/**
 * One file of an import, as the steps of its route hand it on.
 *
 * @param loadId the same in each attempt, so that a load that was committed is known again
 * @param content opens the file anew at each call
 * @param abort ends a read that another thread is in
 */
record ImportFile(FileStamp stamp, UUID loadId, Callable<InputStream> content, Runnable abort) {

  /** A job of one file is called as its load is. */
  static UUID loadId(UUID job, String file, boolean single) {
    return single
        ? job
        : UUID.nameUUIDFromBytes((job + "/" + file).getBytes(StandardCharsets.UTF_8));
  }
}
