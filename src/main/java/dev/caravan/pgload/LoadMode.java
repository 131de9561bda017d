package dev.caravan.pgload;

/**
 * What a load does with the rows that are there already. Each mode is one transaction: readers see
 * the table as before or as after.
 */
public enum LoadMode {
  /** New keys are inserted, known keys updated where a value differs; other rows stay. */
  UPSERT,
  /** Every record becomes a new row; there is no key. */
  APPEND,
  /** New keys are inserted; a record with a known key is left out and counted as filtered. */
  INSERT_ONLY,
  /** As upsert, and rows that the source no longer has are deleted. */
  REPLACE,
  /** As replace, within one part of the table only; see {@link LoadRange}. */
  REPLACE_RANGE,
  /**
   * A history (slowly changing dimension, type 2): a changed row is closed and its new version
   * inserted. The table has the columns {@link ControlColumn#VALID_FROM}, {@link
   * ControlColumn#VALID_TO} and {@link ControlColumn#CURRENT}.
   */
  SCD2;

  /** True when rows are found again by their key, so that there must be one. */
  boolean needsKey() {
    return this == UPSERT || this == INSERT_ONLY || this == SCD2;
  }
}
