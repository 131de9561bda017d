package dev.caravan.record.csv;

/** What happens with a file that has no records. */
public enum EmptyFiles {
  /** Without a header it fails; with one it is loaded as a file of no rows. */
  FAIL,
  /** It is passed over with a warning: nothing is created, replaced or marked. */
  SKIP
}
