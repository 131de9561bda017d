package dev.caravan.job;

import java.time.Duration;

/**
 * How often and when what is transient is tried again.
 *
 * @param attempts in all, at least 1
 * @param first pause, after the first attempt; each pause is twice the one before
 * @param longest pause
 */
public record Retry(int attempts, Duration first, Duration longest) {

  /** The pause after an attempt, which counts from 1. */
  public Duration delay(int attempt) {
    Duration delay = first;
    for (int i = 1; i < attempt && delay.compareTo(longest) < 0; i++) {
      delay = delay.multipliedBy(2);
    }
    return delay.compareTo(longest) < 0 ? delay : longest;
  }
}
