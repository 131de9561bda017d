package dev.caravan.job;

import java.util.List;
import java.util.UUID;

/**
 * How far a job is.
 *
 * @param step what it does, in a word
 * @param bytes read so far
 * @param totalBytes 0 when nobody knows
 * @param rows read so far
 * @param loads how far those are that run
 */
public record JobProgress(String step, long bytes, long totalBytes, long rows, List<Load> loads) {

  /** The step in which something has to move. */
  public static final String READING = "reading";

  /** How far one load is; as the job's own. */
  public record Load(UUID id, String step, long bytes, long totalBytes, long rows) {}
}
