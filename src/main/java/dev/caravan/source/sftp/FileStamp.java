package dev.caravan.source.sftp;

import java.time.Instant;
import org.apache.camel.component.file.GenericFile;

/**
 * What tells one state of a remote file from another.
 *
 * @param name the plain name, as the server says it
 * @param size in bytes
 * @param modifiedAt time of the last change by the server's clock; compared only with itself
 */
public record FileStamp(String name, long size, Instant modifiedAt) {

  /** Of a file that a poll found: the headers of its message lack a time of 1970 or before. */
  public static FileStamp of(GenericFile<?> file) {
    return new FileStamp(
        file.getFileNameOnly(), file.getFileLength(), Instant.ofEpochMilli(file.getLastModified()));
  }
}
