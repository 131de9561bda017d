package dev.caravan.job;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * One node's try at a job.
 *
 * @param epoch raised by every attempt; only the newest may change anything
 * @param number of the attempt, from 1; attempts that a stop of the node handed back do not count
 * @param maxAttempts how many there may be
 * @param parameters JSON object
 * @param timeout of this attempt
 * @param unsure true when one before was cut off where its commit may have been done
 */
public record Attempt(
    UUID jobId,
    long epoch,
    int number,
    int maxAttempts,
    String tenant,
    String kind,
    String project,
    String route,
    String parameters,
    Optional<Duration> timeout,
    boolean unsure) {

  /** False when all attempts were used up and this one only finds out what became of them. */
  public boolean mayWork() {
    return number <= maxAttempts;
  }

  /** True when another one may follow. */
  public boolean hasSuccessor() {
    return number < maxAttempts;
  }
}
