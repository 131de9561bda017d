package dev.caravan.outbox.webhook;

import dev.caravan.outbox.Outcome;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Set;

/**
 * What a receiver answered.
 *
 * @param contentType empty when it did not say
 * @param retryAfter as in the header; empty when it did not say
 * @param body its beginning, of an answer 409 only; empty otherwise
 */
record Answer(int status, String contentType, String retryAfter, String body) {

  private static final Set<Integer> TRANSIENT = Set.of(408, 425, 429);
  private static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);

  Outcome outcome() {
    if (status / 100 == 2) {
      return Outcome.done(status);
    }
    if (status / 100 == 3) {
      return Outcome.failed(
          status,
          "answered %d; redirects are not followed: callback_url must be the final address"
              .formatted(status));
    }
    if (status == 409 && body.contains("is running already")) {
      return Outcome.soon(status, "n8n: the execution does not wait yet");
    }
    if (status == 409 && body.contains("has finished already")) {
      return Outcome.failed(status, "n8n: the execution has finished already");
    }
    if (TRANSIENT.contains(status) || status >= 500 || isN8nStarting()) {
      return Outcome.retry(status, "answered " + status, pauseAskedFor());
    }
    return Outcome.failed(status, "answered " + status);
  }

  /** n8n knows no page while it starts; later an execution that it does not know is JSON. */
  private boolean isN8nStarting() {
    return status == 404 && contentType.toLowerCase(Locale.ROOT).startsWith("text/html");
  }

  /** Seconds or a date; not more than an hour, whatever was asked for. */
  private Duration pauseAskedFor() {
    Duration asked = Duration.ZERO;
    if (retryAfter.matches("[0-9]{1,9}")) {
      asked = Duration.ofSeconds(Long.parseLong(retryAfter));
    } else if (!retryAfter.isEmpty()) {
      try {
        Instant date =
            ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        asked = Duration.between(Instant.now(), date);
      } catch (DateTimeException e) {
        return Duration.ZERO;
      }
    }
    return asked.compareTo(LONGEST_RETRY_AFTER) > 0 ? LONGEST_RETRY_AFTER : asked;
  }
}
