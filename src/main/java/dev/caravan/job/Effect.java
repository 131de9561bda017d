package dev.caravan.job;

import java.time.Duration;

/**
 * Something outside of PostgreSQL that is to happen because of a job, after the commit.
 *
 * @param kind names who does it
 * @param payload JSON object; of a {@link #CALLBACK} the URL that is told how the job ended
 * @param delay how long after the commit
 */
public record Effect(String kind, String payload, Duration delay) {

  /** The kind of effect that every job with a callback URL has at its end. */
  public static final String CALLBACK = "callback";

  /** At once. */
  public Effect(String kind, String payload) {
    this(kind, payload, Duration.ZERO);
  }
}
