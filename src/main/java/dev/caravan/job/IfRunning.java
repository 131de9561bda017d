package dev.caravan.job;

/** What a trigger does when the same thing is queued or running already. */
public enum IfRunning {
  /** The running job is the answer. */
  ATTACH,
  /** Another job waits in the queue until that one has ended. */
  QUEUE,
  /** Nothing is launched. */
  SKIP,
  /** The trigger is refused. */
  FAIL
}
