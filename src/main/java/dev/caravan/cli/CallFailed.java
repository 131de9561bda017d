package dev.caravan.cli;

/** A call that did not work; the message says all that the user is to know, and no secret. */
final class CallFailed extends RuntimeException {

  /** How it failed. */
  enum Kind {
    /** The server said no. */
    REFUSED,
    /** Nobody listens there; the call was not made. */
    UNREACHABLE,
    /** The connection broke: the call may have been made. */
    ANSWER_LOST,
    /** The server cannot answer now. */
    BUSY
  }

  private final Kind kind;

  CallFailed(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  Kind kind() {
    return kind;
  }
}
