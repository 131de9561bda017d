package dev.caravan.record.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ValueNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.Fields;
import dev.caravan.record.MapRecords;
import dev.caravan.record.RecordStream;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import java.io.Closeable;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Records as maps from name to value, pulled one by one. The first record tells the columns, unless
 * {@link MapRecords} know them; a later one may leave columns out (NULL) but not bring new ones.
 * The "line" is the record's number. Numbers keep every digit; nested values become JSON text.
 */
public final class MapRecordStream implements RecordStream {

  /** PostgreSQL's jsonb has no NUL, also not as an escape. */
  private static final Pattern NUL_ESCAPE = Pattern.compile("(?<!\\\\)(?:\\\\\\\\)*\\\\u0000");

  private static final int MAX_PLAIN_SCALE = 1_000;

  private static final ObjectWriter WRITER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamWriteConstraints(
                      StreamWriteConstraints.builder()
                          .maxNestingDepth(JsonRecords.MAX_DEPTH)
                          .build())
                  .build())
          .build()
          .writer();

  private final Iterator<? extends Map<String, ?>> records;
  private final Closeable source;
  private final MapRecords known;
  private final List<String> columns;
  private final boolean[] json;
  private final Fields fields = new Fields();
  private Map<String, ?> ahead;
  private Map<String, ?> current;
  private Reject reject;
  private byte[] bytes = new byte[1 << 12];
  private int used;
  private long line;

  private MapRecordStream(Iterator<? extends Map<String, ?>> records, Closeable source) {
    this.records = records;
    this.source = source;
    this.known = records instanceof MapRecords mapRecords ? mapRecords : null;
    this.ahead = records.hasNext() ? pull() : null;
    this.columns =
        known != null
            ? known.columns()
            : ahead == null ? List.of() : new ArrayList<>(ahead.keySet());
    this.json = new boolean[columns.size()];
    for (int i = 0; i < json.length && ahead != null; i++) {
      json[i] = isNested(ahead.get(columns.get(i)));
    }
  }

  /** Stands before the first record; {@link MapRecords} are closed with the stream. */
  public static MapRecordStream open(Iterator<? extends Map<String, ?>> records) {
    return open(records, records instanceof MapRecords source ? source : () -> {});
  }

  /** The same; the source of the records is closed with the stream. */
  public static MapRecordStream open(Iterator<? extends Map<String, ?>> records, Closeable source) {
    MapRecordStream stream = new MapRecordStream(records, source);
    if (stream.columns.isEmpty()) {
      throw new CaravanException(
          FailureCode.EMPTY_FILE,
          stream.ahead == null
              ? "There are no records, so that no columns are known."
              : "The first record is empty, so that no columns are known.");
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
    current = ahead != null ? ahead : records.hasNext() ? pull() : null;
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

  /** A record that is null is not the end of the records. */
  private Map<String, ?> pull() {
    Map<String, ?> record = records.next();
    if (record == null) {
      throw new CaravanException(
          FailureCode.BAD_JSON, "Record %d is null and no record.".formatted(line + 1));
    }
    return record;
  }

  private void add(int column, Object value) {
    String text;
    try {
      text = json[column] ? toJson(value) : text(value);
    } catch (JsonProcessingException e) {
      // Jackson wraps what goes wrong inside of a value
      reject =
          e.getCause() instanceof StreamConstraintsException
              ? rejectCurrent(
                  column,
                  RejectCode.JSON_DEPTH,
                  "The value is nested deeper than %d.".formatted(JsonRecords.MAX_DEPTH))
              : rejectCurrent(column, RejectCode.BAD_VALUE, "No JSON value: " + e.getMessage());
      return;
    }
    if (text == null) {
      fields.add(used, 0, Fields.NULL);
      return;
    }
    if (text.indexOf('\0') >= 0 || (json[column] && NUL_ESCAPE.matcher(text).find())) {
      reject = rejectCurrent(column, RejectCode.NUL_BYTE, "The value holds a NUL character.");
      return;
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    if (used + utf8.length > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, used + utf8.length));
    }
    System.arraycopy(utf8, 0, bytes, used, utf8.length);
    fields.add(used, utf8.length, Fields.QUOTED | Fields.ESCAPE);
    used += utf8.length;
  }

  private static String text(Object value) throws JsonProcessingException {
    if (value == null || value instanceof NullNode) {
      return null;
    }
    if (value instanceof JsonNode node && node.isValueNode()) {
      return node.isNumber() ? text(node.numberValue()) : node.asText();
    }
    if (value instanceof BigDecimal decimal) {
      // 1e999999999 written out would fill the memory
      return Math.abs(decimal.scale()) > MAX_PLAIN_SCALE
          ? decimal.toString()
          : decimal.toPlainString();
    }
    return isNested(value) ? toJson(value) : value.toString();
  }

  private static String toJson(Object value) throws JsonProcessingException {
    return value == null ? null : WRITER.writeValueAsString(value);
  }

  private static boolean isNested(Object value) {
    return value instanceof Map
        || (value instanceof Iterable && !(value instanceof ValueNode))
        || (value != null && value.getClass().isArray());
  }

  @Override
  public boolean isJson(int field) {
    return json[field];
  }

  @Override
  public void writeAsJson(int field) {
    json[field] = true;
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
        raw().replace("\0", "\\x00"));
  }

  /** CSV of the columns; the map as it is where that would hide a value, or cannot be written. */
  private String raw() {
    if (!columns.containsAll(current.keySet())) {
      return current.toString();
    }
    try {
      List<String> values = new ArrayList<>();
      for (int i = 0; i < columns.size(); i++) {
        Object value = current.get(columns.get(i));
        values.add(json[i] ? toJson(value) : text(value));
      }
      return Reject.csv(values, delimiter());
    } catch (JsonProcessingException e) {
      return current.toString();
    }
  }

  @Override
  public long line() {
    return line;
  }

  @Override
  public List<String> warnings() {
    return known == null ? List.of() : known.warnings();
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
