package dev.caravan.record;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The field values of one record as UTF-8 slices of one buffer: no object per value. Offsets are
 * relative to the record, so that the buffer may move while the record is still being read.
 */
public final class Fields {

  /** The value holds bytes that COPY's text format escapes: backslash, tab, CR, LF. */
  public static final int ESCAPE = 1;

  /** The value holds doubled quotes, each of which stands for one. */
  public static final int DOUBLED_QUOTES = 2;

  /** The value stood in quotes. */
  public static final int QUOTED = 4;

  /** There is no value. */
  public static final int NULL = 8;

  /** More fields than any table has columns are counted, not kept: such a record is refused. */
  private static final int MAX_KEPT = 2_048;

  private byte[] bytes;
  private int base;
  private int count;
  private int[] starts = new int[16];
  private int[] lengths = new int[16];
  private byte[] flags = new byte[16];

  /** Forgets the values of the record before. */
  public void clear() {
    count = 0;
  }

  /** Tells where the record now stands: {@code base} is the index of its first byte. */
  public void at(byte[] bytes, int base) {
    this.bytes = bytes;
    this.base = base;
  }

  /** Adds the next value; {@code start} is relative to the record. */
  public void add(int start, int length, int flags) {
    if (count >= MAX_KEPT) {
      count++;
      return;
    }
    if (count == starts.length) {
      grow();
    }
    starts[count] = start;
    lengths[count] = length;
    this.flags[count++] = (byte) flags;
  }

  private void grow() {
    int size = starts.length * 2;
    starts = Arrays.copyOf(starts, size);
    lengths = Arrays.copyOf(lengths, size);
    flags = Arrays.copyOf(flags, size);
  }

  /** Makes value {@code i} NULL. */
  public void setNull(int i) {
    flags[i] |= NULL;
  }

  /** Takes the last value away. */
  public void dropLast() {
    count--;
  }

  /** How many values the record has; those behind the 2,048th cannot be looked at. */
  public int count() {
    return count;
  }

  /** The buffer that the slices lie in. */
  public byte[] bytes() {
    return bytes;
  }

  /** Index of the first byte of value {@code i} in {@link #bytes()}. */
  public int start(int i) {
    return base + starts[i];
  }

  /** Bytes of value {@code i}, each doubled quote counted as two. */
  public int length(int i) {
    return lengths[i];
  }

  /** The flags of value {@code i}: {@link #ESCAPE} and its neighbours. */
  public int flags(int i) {
    return flags[i];
  }

  /** True when there is no value: an empty field without quotes, or a configured null word. */
  public boolean isNull(int i) {
    return (flags[i] & NULL) != 0;
  }

  /** True when value {@code i} has no other characters than those of ASCII, or there is none. */
  public boolean isAscii(int i) {
    for (int at = start(i), end = isNull(i) ? at : at + lengths[i]; at < end; at++) {
      if (bytes[at] < 0) {
        return false;
      }
    }
    return true;
  }

  /** Value {@code i} as text, or null; for keys, messages and tests, not for the bulk of a load. */
  public String text(int i) {
    if (isNull(i)) {
      return null;
    }
    String text = new String(bytes, start(i), lengths[i], StandardCharsets.UTF_8);
    return (flags[i] & DOUBLED_QUOTES) != 0 ? text.replace("\"\"", "\"") : text;
  }
}
