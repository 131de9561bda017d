package dev.caravan.outbox;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The pauses between attempts.
 *
 * @param pauses the first one is after the first attempt that failed; after the last one follows
 *     the last attempt
 */
public record RetrySchedule(List<Duration> pauses) {

  /** Up to this part of a pause is added at random, so that those who failed together part. */
  private static final double JITTER = 0.1;

  public RetrySchedule {
    pauses = List.copyOf(pauses);
  }

  /** Each pause twice the one before, up to the longest, until they are {@code total} together. */
  public static RetrySchedule doubling(Duration first, Duration longest, Duration total) {
    List<Duration> pauses = new ArrayList<>();
    Duration sum = Duration.ZERO;
    Duration pause = first;
    while (sum.compareTo(total) < 0) {
      pauses.add(pause);
      sum = sum.plus(pause);
      Duration next = pause.multipliedBy(2);
      pause = next.compareTo(longest) < 0 ? next : longest;
    }
    return new RetrySchedule(pauses);
  }

  /** The pause that comes when so many are used up, a little longer at random; empty at the end. */
  Optional<Duration> pauseAfter(int used) {
    if (used >= pauses.size()) {
      return Optional.empty();
    }
    double factor = 1 + ThreadLocalRandom.current().nextDouble(JITTER);
    return Optional.of(Duration.ofMillis((long) (pauses.get(used).toMillis() * factor)));
  }
}
