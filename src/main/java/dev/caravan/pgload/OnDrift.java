package dev.caravan.pgload;

/**
 * What a load does when it is not like the last one of its pipeline: the file has a column that the
 * target does not have, a column left the file, or a column of the target has another type. Every
 * change that is let through is recorded with the load.
 */
public enum OnDrift {
  /** The load fails and says what changed. */
  FREEZE,
  /**
   * The new shape is taken: a new column is added to the target as text, a column that left the
   * file keeps its values.
   */
  EVOLVE,
  /** As evolve, but a record that has a value in a new column is left out, counted as filtered. */
  DISCARD_ROW,
  /** As evolve, but the values of a new column are left out. */
  DISCARD_VALUE
}
