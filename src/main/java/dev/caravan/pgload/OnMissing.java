package dev.caravan.pgload;

/** What becomes of the rows of the target that the source, a full export, no longer has. */
public enum OnMissing {
  /** They stay. */
  KEEP,
  /**
   * They are marked in {@link ControlColumn#DELETED_AT}; with {@link LoadMode#SCD2} their current
   * version is closed. A record that comes back is current again. Nothing is marked by a load with
   * rejects, because a refused record is not a missing one.
   */
  SOFT_DELETE
}
