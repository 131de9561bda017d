package dev.caravan.pgload;

import dev.caravan.record.Fields;
import java.util.Arrays;
import java.util.List;

/**
 * Notices when the keys of a stream come in strictly ascending order, as exports by primary key do:
 * then no key comes twice, and PostgreSQL need not look for duplicates. Two orders count, that of
 * the bytes (dates, padded numbers) and that of length, then bytes (plain numbers).
 */
final class KeyOrder {

  private final List<Integer> keys;
  private final boolean integer;
  private boolean byBytes;
  private boolean byLength;
  private byte[] last = new byte[64];
  private byte[] next = new byte[64];
  private int lastLength = -1;

  /**
   * Only texts that are equal by their bytes, or one of integers without leading zeros: 1 and 01
   * are one number.
   */
  KeyOrder(ColumnPlan plan) {
    keys = plan.keyFields();
    boolean text = plan.keys().stream().allMatch(i -> plan.columns().get(i).differsByBytes());
    integer = plan.keys().size() == 1 && plan.columns().get(plan.keys().get(0)).isInteger();
    byBytes = text && !keys.isEmpty();
    byLength = byBytes || integer;
  }

  void add(Fields fields) {
    if (!byBytes && !byLength) {
      return;
    }
    int length = copyKey(fields);
    if (integer && !isPlainInteger(length - 1)) {
      byLength = false;
    }
    if (lastLength >= 0) {
      int order = Arrays.compareUnsigned(last, 0, lastLength, next, 0, length);
      byBytes &= order < 0;
      byLength &= lastLength < length || (lastLength == length && order < 0);
    }
    byte[] free = last;
    last = next;
    next = free;
    lastLength = length;
  }

  private boolean isPlainInteger(int length) {
    for (int i = 0; i < length; i++) {
      if (next[i] < '0' || next[i] > '9') {
        return false;
      }
    }
    return length == 1 || (length > 1 && next[0] != '0');
  }

  /** The key's fields with NUL, which no value has, between them. */
  private int copyKey(Fields fields) {
    int length = 0;
    for (int i : keys) {
      int size = fields.length(i);
      if (length + size + 1 > next.length) {
        next = Arrays.copyOf(next, (length + size + 1) * 2);
      }
      System.arraycopy(fields.bytes(), fields.start(i), next, length, size);
      length += size;
      next[length++] = 0;
    }
    return length;
  }

  /** True when no key can have come twice. */
  boolean provesUnique() {
    return byBytes || byLength;
  }
}
