package dev.caravan.failure;

/** A failure with its code. The message is for people and never holds a secret. */
public class CaravanException extends RuntimeException {

  private final FailureCode code;

  /**
   * @param code from the closed list; stored and shown as it is
   * @param message what failed, with which value, what was expected, where, what to do
   */
  public CaravanException(FailureCode code, String message) {
    super(message);
    this.code = code;
  }

  /** As above, with the exception that led here. */
  public CaravanException(FailureCode code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /** Why it failed. */
  public FailureCode code() {
    return code;
  }
}
