package dev.caravan.record.csv;

/**
 * What happens when a file can be read as its options say but hardly be meant so: bytes of another
 * encoding, the header again in the middle.
 */
public enum Plausibility {
  /** Nothing is loaded. */
  REFUSE,
  /** The file is loaded with a warning; records that repeat the header are refused. */
  WARN,
  /** Nothing is looked at. */
  OFF
}
