package dev.caravan.pgload;

import java.util.Optional;
import java.util.UUID;

/**
 * Where the records of one load come from, for the ledger and the rejects.
 *
 * <p>{@link #sha256()} and {@link #bytes()} are asked after the last record.
 */
public interface LoadOrigin {

  /** The load's own id; a second load with the same id is refused by the ledger. */
  UUID loadId();

  /** Loads of one pipeline load the same content only once. */
  String pipeline();

  /** The file, for messages and rejects. */
  String file();

  /** SHA-256 of all bytes of the source, in hex; null when there are no bytes (records). */
  String sha256();

  /** Bytes read from the source. */
  long bytes();

  /** True to load content again that was loaded before. */
  boolean force();

  /** The attempt that the load belongs to; empty when nobody else can be at the same load. */
  default Optional<Fence> fence() {
    return Optional.empty();
  }

  /** Is told how far the load is. */
  default LoadProgress progress() {
    return new LoadProgress();
  }
}
