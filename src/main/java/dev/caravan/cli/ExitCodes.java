package dev.caravan.cli;

/** What the process says at its end. */
final class ExitCodes {

  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;

  /** Completed, but for records that were refused. */
  static final int REJECTS = 3;

  private ExitCodes() {}
}
