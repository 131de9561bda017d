package dev.caravan.source.sftp;

import java.time.Instant;

/**
 * What tells one state of a remote file from another.
 *
 * @param name the plain name, as the server says it
 * @param size in bytes
 * @param modifiedAt time of the last change by the server's clock; compared only with itself
 */
public record FileStamp(String name, long size, Instant modifiedAt) {}
