package dev.caravan.job;

import dev.caravan.failure.FailureCode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What became of one file of a job.
 *
 * @param file its name
 * @param loadId of the load in the ledger
 * @param size bytes as the source announced them; null when unknown
 * @param modifiedAt time of the last change as the source says; null when unknown
 * @param table schema.table; null when the job failed before it was known
 * @param status how it ended
 * @param sameAs the load that brought the same content before; null otherwise
 * @param counts rows by the names of {@link #COUNTS}
 * @param elapsed of the load; null when there was none
 * @param warnings what was odd but not wrong
 * @param code why it failed; null when it did not
 * @param message for people; null when it did not fail
 */
public record FileResult(
    String file,
    UUID loadId,
    Long size,
    Instant modifiedAt,
    String table,
    Status status,
    UUID sameAs,
    Map<String, Long> counts,
    Duration elapsed,
    List<String> warnings,
    FailureCode code,
    String message) {

  /** What is counted of a file: read is the sum of the next six. */
  public static final List<String> COUNTS =
      List.of(
          "read",
          "inserted",
          "updated",
          "unchanged",
          "superseded",
          "rejected",
          "filtered",
          "deleted");

  /** How a file ended; {@code running} in the table is a file whose job has not ended. */
  public enum Status {
    LOADED,
    SAME_CONTENT,
    FAILED
  }

  /** One count; 0 when there is none of the name. */
  public long count(String name) {
    return counts.getOrDefault(name, 0L);
  }
}
