package dev.caravan.source.entry;

import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import dev.caravan.record.mapping.FieldMapping;
import dev.caravan.record.mapping.RecordSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rows that somebody entered: {@code config.rows}, objects with the fields of the mapping. */
public final class EnteredRows implements RecordSource {

  private static final int MAX_ROWS = 1_000;

  /**
   * The rows, to be pulled once; fields that a row leaves out are empty.
   *
   * @param parameters of the sync
   * @throws InvalidParameter CONFIG_INVALID with the place of what is no row
   */
  @Override
  public Iterator<Map<String, ?>> read(Map<String, ?> parameters, FieldMapping mapping) {
    if (!(CsvUpload.config(parameters, "rows") instanceof List<?> given)
        || given.isEmpty()
        || given.size() > MAX_ROWS) {
      throw new InvalidParameter(
          FailureCode.CONFIG_INVALID,
          "/config/rows",
          "allowed is a list of 1 to %d objects.".formatted(MAX_ROWS));
    }
    List<Map<String, ?>> rows = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      rows.add(row(i, given.get(i), mapping.fields()));
    }
    return rows.iterator();
  }

  /** Finds out whether these are rows. */
  @Override
  public void check(Map<String, ?> parameters, FieldMapping mapping) {
    read(parameters, mapping);
  }

  private static Map<String, ?> row(int index, Object given, List<String> fields) {
    Map<String, Object> row = new LinkedHashMap<>();
    fields.forEach(field -> row.put(field, null));
    if (given instanceof Map<?, ?> values) {
      values.forEach((field, value) -> row.put(field.toString(), value));
    }
    if (!(given instanceof Map)
        || row.size() > fields.size()
        || row.values().stream().anyMatch(EnteredRows::isNested)) {
      throw new InvalidParameter(
          FailureCode.CONFIG_INVALID,
          InvalidParameter.pointer("config", "rows", index),
          "allowed is an object with the keys %s and no nested values."
              .formatted(String.join(", ", fields)));
    }
    return row;
  }

  private static boolean isNested(Object value) {
    return value instanceof Map || value instanceof Iterable;
  }
}
