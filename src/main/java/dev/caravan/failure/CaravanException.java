package dev.caravan.failure;

import java.time.Duration;
import java.util.Optional;

/** A failure with its code. The message is for people and never holds a secret. */
public class CaravanException extends RuntimeException {

  private final FailureCode code;
  private final Duration retryAfter;

  /**
   * @param code from the closed list; stored and shown as it is
   * @param message what failed, with which value, what was expected, where, what to do
   */
  public CaravanException(FailureCode code, String message) {
    this(code, message, null, null);
  }

  /** As above, with the exception that led here. */
  public CaravanException(FailureCode code, String message, Throwable cause) {
    this(code, message, cause, null);
  }

  private CaravanException(FailureCode code, String message, Throwable cause, Duration retryAfter) {
    super(message, cause);
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /**
   * A failure of a source that says how long it wants to be left alone.
   *
   * @param retryAfter the pause before the next attempt, already within our own limits
   */
  public static CaravanException retryAfter(FailureCode code, String message, Duration retryAfter) {
    return new CaravanException(code, message, null, retryAfter);
  }

  /** The pause that the source asks for; empty when the usual back-off will do. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /** Why it failed. */
  public FailureCode code() {
    return code;
  }
}
