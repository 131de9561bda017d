package dev.caravan.outbox;

import java.time.Duration;

/**
 * How an attempt ended.
 *
 * @param status what the other side answered; null when it did not or has no such thing
 * @param error for people, without secrets; null when there is none
 * @param notBefore the other side asks for at least this pause
 */
public record Outcome(Kind kind, Integer status, String error, Duration notBefore) {

  private static final int MAX_ERROR = 500;

  /** What to do next. */
  public enum Kind {
    /** Nothing: the effect has happened. */
    DONE,
    /** Try again by the schedule of the kind. */
    RETRY,
    /** Try again within moments: the other side is there and says that it is about to be ready. */
    SOON,
    /** Nothing: it would fail again. */
    FINAL,
    /** Try again within moments; nothing was tried yet, so this is no attempt. */
    BUSY
  }

  public Outcome {
    error = error == null ? null : printable(error);
  }

  /** The effect has happened. */
  public static Outcome done(Integer status) {
    return new Outcome(Kind.DONE, status, null, Duration.ZERO);
  }

  /** Failed, may succeed later. */
  public static Outcome retry(Integer status, String error, Duration notBefore) {
    return new Outcome(Kind.RETRY, status, error, notBefore);
  }

  /** The other side is about to be ready. */
  public static Outcome soon(Integer status, String error) {
    return new Outcome(Kind.SOON, status, error, Duration.ZERO);
  }

  /** Failed for good. */
  public static Outcome failed(Integer status, String error) {
    return new Outcome(Kind.FINAL, status, error, Duration.ZERO);
  }

  /** Not tried: this node does enough of it already. */
  public static Outcome busy() {
    return new Outcome(Kind.BUSY, null, null, Duration.ZERO);
  }

  /**
   * The other side has a say in messages: no NUL, which no column takes, and no end without end.
   */
  private static String printable(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= MAX_ERROR ? line : line.substring(0, MAX_ERROR) + "…";
  }
}
