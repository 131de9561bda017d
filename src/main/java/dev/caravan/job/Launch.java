package dev.caravan.job;

import java.util.UUID;

/**
 * What became of a request.
 *
 * @param jobId the job that stands for it; of SKIPPED the one that is in its way
 */
public record Launch(Outcome outcome, UUID jobId) {

  /** Whether there is a new job. */
  public enum Outcome {
    /** A new job waits in the queue. */
    LAUNCHED,
    /** A job of the same thing was queued or running, and is the answer. */
    ATTACHED,
    /** The idempotency key was known. */
    REPEATED,
    /** A job of the same thing or of the same file was there; nothing was launched. */
    SKIPPED
  }
}
