package dev.caravan.pgload;

/**
 * What a load does when it is not like the last one of its pipeline: a column left the file, or a
 * column of the target has another type.
 */
public enum OnDrift {
  /** The load fails and says what changed. */
  FAIL,
  /** The new shape is taken; a column that left the file keeps its values. */
  ACCEPT
}
