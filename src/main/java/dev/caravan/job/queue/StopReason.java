package dev.caravan.job.queue;

import dev.caravan.failure.FailureCode;

/** Why a running attempt is stopped from outside. */
public enum StopReason {
  /** It is not the newest attempt any more, or its job was cancelled: there is nothing to write. */
  LOST(FailureCode.SUPERSEDED),
  /** It took longer than it may. */
  TIMEOUT(FailureCode.TIMEOUT),
  /** Nothing moved for longer than it may. */
  NO_PROGRESS(FailureCode.NO_PROGRESS),
  /** The node is stopping and hands the job back. */
  SHUTDOWN(FailureCode.INTERRUPTED);

  private final FailureCode code;

  StopReason(FailureCode code) {
    this.code = code;
  }

  /** What the attempt failed with. */
  public FailureCode code() {
    return code;
  }
}
