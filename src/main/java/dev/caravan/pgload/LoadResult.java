package dev.caravan.pgload;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What a load did. It always balances: read = inserted + updated + unchanged + superseded +
 * rejected + filtered.
 *
 * @param loadId the load
 * @param target where the rows went
 * @param outcome whether anything was merged at all
 * @param sameAs with {@link Outcome#SAME_CONTENT}: the load that brought this content
 * @param read records of the source, refused ones included
 * @param inserted rows with a new key
 * @param updated rows with a known key and another value
 * @param unchanged rows with a known key and the same values; not written
 * @param superseded records whose key came again in a later line, which won
 * @param rejected records in the rejects table
 * @param filtered records left out on purpose: a known key ({@link LoadMode#INSERT_ONLY}), a value
 *     in a new column ({@link OnDrift#DISCARD_ROW})
 * @param deleted rows of the target that the source no longer has and that were deleted or marked
 * @param bytes of the source
 * @param elapsed from the first record to the commit
 * @param warnings what was odd but not wrong, each with its code in front
 */
public record LoadResult(
    UUID loadId,
    TableName target,
    Outcome outcome,
    UUID sameAs,
    long read,
    long inserted,
    long updated,
    long unchanged,
    long superseded,
    long rejected,
    long filtered,
    long deleted,
    long bytes,
    Duration elapsed,
    List<String> warnings) {

  /** How a load ended. */
  public enum Outcome {
    /** The rows are in the target. */
    LOADED,
    /** The same content was loaded before; nothing was changed. */
    SAME_CONTENT,
    /** The source has no records and was passed over; the database was not asked. */
    SKIPPED
  }

  /** Of {@link Outcome#SKIPPED}. */
  public static LoadResult skipped(UUID loadId, TableName target, long bytes, String warning) {
    return new LoadResult(
        loadId,
        target,
        Outcome.SKIPPED,
        null,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        bytes,
        Duration.ZERO,
        List.of(warning));
  }

  /** Records per second of {@link #elapsed()}. */
  public long rowsPerSecond() {
    return Math.round(read / Math.max(elapsed.toNanos() / 1e9, 1e-3));
  }

  /** The counts by name, in the order in which people read them. */
  public Map<String, Long> counts() {
    Map<String, Long> counts = new java.util.LinkedHashMap<>();
    counts.put("read", read);
    counts.put("inserted", inserted);
    counts.put("updated", updated);
    counts.put("unchanged", unchanged);
    counts.put("superseded", superseded);
    counts.put("rejected", rejected);
    counts.put("filtered", filtered);
    counts.put("deleted", deleted);
    return counts;
  }
}
