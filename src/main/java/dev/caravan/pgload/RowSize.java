package dev.caravan.pgload;

import dev.caravan.record.Fields;

/**
 * Tells before PostgreSQL does which rows may be too wide for a page, or their keys too long for an
 * index. What it does not name fits; what it names is for PostgreSQL to say, which compresses
 * values first.
 */
final class RowSize {

  /** What a page of 8 kB has for one row. */
  private static final int MAX_ROW_BYTES = 8_160;

  /** Row header, and the line or what the load fills itself. */
  private static final int HEADER_BYTES = 24 + 4 * 8;

  /** At the most this is left in the row of a value, however long: it goes elsewhere. */
  private static final int MAX_VALUE_BYTES = 27;

  /** An index takes 2,704 bytes, less for the header of each of up to 32 columns. */
  private static final int MAX_KEY_BYTES = 2_400;

  /** JSON is larger in its binary form than as text. */
  private static final int MAX_BINARY_GROWTH = 8;

  private final int[] fields;
  private final boolean[] staysText;
  private final int[] keys;
  private final int[] growth;
  private final int maxBytes;
  private final boolean narrow;

  /**
   * @param plan of what is written
   * @param staged as texts and without an index on the key, rather than as a new table has them
   */
  RowSize(ColumnPlan plan, boolean staged) {
    int columns = plan.columns().size();
    fields = plan.fields().stream().mapToInt(Integer::intValue).toArray();
    staysText = new boolean[columns];
    for (int i = 0; i < columns; i++) {
      staysText[i] = staged || plan.columns().get(i).isText();
    }
    keys = staged ? new int[0] : plan.keyFields().stream().mapToInt(Integer::intValue).toArray();
    growth =
        plan.keys().stream()
            .mapToInt(i -> plan.columns().get(i).isText() ? 1 : MAX_BINARY_GROWTH)
            .toArray();
    maxBytes = MAX_ROW_BYTES - HEADER_BYTES - columns / 8;
    narrow = columns * MAX_VALUE_BYTES <= maxBytes;
  }

  /** Whether the row has to be tried alone. */
  boolean mayBeTooLarge(Fields values) {
    return mayHaveLongKey(values) || (!narrow && mayBeWide(values));
  }

  private boolean mayHaveLongKey(Fields values) {
    int bytes = 0;
    for (int i = 0; i < keys.length; i++) {
      bytes += growth[i] * values.length(keys[i]);
    }
    return bytes > MAX_KEY_BYTES;
  }

  private boolean mayBeWide(Fields values) {
    int bytes = 0;
    for (int i = 0; i < fields.length; i++) {
      int length = staysText[i] ? 1 + values.length(fields[i]) : MAX_VALUE_BYTES;
      bytes += values.isNull(fields[i]) ? 0 : Math.min(length, MAX_VALUE_BYTES);
    }
    return bytes > maxBytes;
  }
}
