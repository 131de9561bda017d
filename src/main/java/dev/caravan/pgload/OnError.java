package dev.caravan.pgload;

/** What a bad row does to its load. */
public enum OnError {
  /** It goes to the rejects table and the good rows are loaded. */
  REJECT,
  /** The load fails, the target stays as it was; the first bad rows are listed. */
  FAIL
}
