package dev.caravan.pgload;

/** What a load does with the rows that are there already. */
public enum LoadMode {
  /** New keys are inserted, known keys updated where a value differs; other rows stay. */
  UPSERT,
  /** As upsert, and rows that the source no longer has are deleted; readers see before or after. */
  REPLACE
}
