package dev.caravan.record;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Records as maps from name to value, pulled one by one. The first record tells the columns; a
 * later one may leave columns out (NULL) but not bring new ones. The "line" is the record's number.
 */
public final class MapRecordStream implements RecordStream {

  private final Iterator<? extends Map<String, ?>> records;
  private final List<String> columns;
  private final Fields fields = new Fields();
  private Map<String, ?> ahead;
  private Map<String, ?> current;
  private Reject reject;
  private byte[] bytes = new byte[1 << 12];
  private int used;
  private long line;

  private MapRecordStream(Iterator<? extends Map<String, ?>> records) {
    this.records = records;
    this.ahead = records.hasNext() ? records.next() : null;
    this.columns = ahead == null ? List.of() : new ArrayList<>(ahead.keySet());
  }

  /** Stands before the first record. */
  public static MapRecordStream open(Iterator<? extends Map<String, ?>> records) {
    MapRecordStream stream = new MapRecordStream(records);
    if (stream.columns.isEmpty()) {
      throw new CaravanException(
          FailureCode.EMPTY_FILE, "There are no records, so that no columns are known.");
    }
    return stream;
  }

  /** The body's records when it is an iterator or a collection of maps; null when it is not. */
  @SuppressWarnings("unchecked")
  public static Iterator<Map<String, ?>> iterator(Object body) {
    if (body instanceof Iterator<?> iterator) {
      return (Iterator<Map<String, ?>>) iterator;
    }
    boolean maps =
        body instanceof Iterable<?> iterable
            && (!iterable.iterator().hasNext() || iterable.iterator().next() instanceof Map);
    return maps ? ((Iterable<Map<String, ?>>) body).iterator() : null;
  }

  @Override
  public List<String> columns() {
    return columns;
  }

  @Override
  public Step next() {
    current = ahead != null ? ahead : records.hasNext() ? records.next() : null;
    ahead = null;
    if (current == null) {
      return Step.END;
    }
    line++;
    used = 0;
    fields.clear();
    reject = null;
    int known = 0;
    for (int i = 0; i < columns.size(); i++) {
      known += current.containsKey(columns.get(i)) ? 1 : 0;
      add(i, current.get(columns.get(i)));
    }
    fields.at(bytes, 0);
    if (reject == null && known < current.size()) {
      reject =
          rejectCurrent(
              -1,
              RejectCode.COLUMN_COUNT,
              "The record has a column that the first record does not have: " + current.keySet());
    }
    return reject == null ? Step.RECORD : Step.REJECT;
  }

  private void add(int column, Object value) {
    if (value == null) {
      fields.add(used, 0, Fields.NULL);
      return;
    }
    if (value instanceof Map || value instanceof Iterable || value.getClass().isArray()) {
      reject =
          rejectCurrent(
              column, RejectCode.BAD_VALUE, "A nested value is not taken; expected is a scalar.");
      return;
    }
    String text = value instanceof BigDecimal decimal ? decimal.toPlainString() : value.toString();
    if (text.indexOf('\0') >= 0) {
      reject = rejectCurrent(column, RejectCode.NUL_BYTE, "The value holds a NUL character.");
      return;
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    if (used + utf8.length > bytes.length) {
      bytes = java.util.Arrays.copyOf(bytes, Math.max(bytes.length * 2, used + utf8.length));
    }
    System.arraycopy(utf8, 0, bytes, used, utf8.length);
    fields.add(used, utf8.length, Fields.QUOTED | Fields.ESCAPE);
    used += utf8.length;
  }

  @Override
  public Fields fields() {
    return fields;
  }

  @Override
  public Reject reject() {
    return reject;
  }

  @Override
  public Reject rejectCurrent(int column, RejectCode code, String message) {
    return new Reject(
        line,
        -1,
        column < 0 ? null : columns.get(column),
        code,
        message,
        String.valueOf(current).replace("\0", "\\x00"));
  }

  @Override
  public long line() {
    return line;
  }

  @Override
  public void close() {}
}
