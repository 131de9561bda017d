package dev.caravan.job;

import dev.caravan.failure.FailureCode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * One load of a job: one stream into one table, one transaction.
 *
 * @param id of the load in the ledger; the same in each attempt of the job
 * @param label what people call it: the name of a file, or what the route says
 * @param size bytes of the file as the source announced them; null when unknown or no file
 * @param modifiedAt time of the file's last change as the source says; null when unknown or no file
 * @param table schema.table; null when it failed before it was known
 * @param status how it ended
 * @param sameAs the load that brought the same content before; null otherwise
 * @param counts rows by the names of {@link #COUNTS}
 * @param elapsed from the first record to the commit; null when there was none
 * @param warnings what was odd but not wrong
 * @param code why it failed; null when it did not
 * @param message for people; null when it did not fail
 */
public record JobLoad(
    UUID id,
    String label,
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

  /** What is counted of a load: read is the sum of the next six. */
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

  /** How a load ended, or that it has not. */
  public enum Status {
    RUNNING,
    LOADED,
    SAME_CONTENT,
    /** The source had no records, and such ones are passed over. */
    SKIPPED,
    FAILED,
    /** It ran when its job was cancelled. */
    CANCELLED
  }

  /** One count; 0 when there is none of the name. */
  public long count(String name) {
    return counts.getOrDefault(name, 0L);
  }

  /** The same load, which has failed. */
  public JobLoad failed(FailureCode why, String told) {
    return new JobLoad(
        id,
        label,
        size,
        modifiedAt,
        table,
        Status.FAILED,
        null,
        Map.of(),
        null,
        List.of(),
        why,
        told);
  }
}
