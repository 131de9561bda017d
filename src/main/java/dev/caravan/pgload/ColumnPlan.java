package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Target.Column;
import dev.caravan.record.RecordStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which field of the source goes to which column of the target. Field {@code i} is staged as column
 * {@code c<i>} and ends in {@code columns().get(i)}.
 *
 * @param columns target columns in the order of the source's fields
 * @param keys the fields that make the key
 */
record ColumnPlan(List<Column> columns, List<Integer> keys) {

  /** Plans for a table that does not exist: every column is text and named as in the source. */
  static ColumnPlan forNewTable(LoadSpec spec, RecordStream records) {
    List<Column> columns = new ArrayList<>();
    for (String name : mapped(spec, records)) {
      columns.add(new Column(name, "text", -1, false, false, true));
    }
    return new ColumnPlan(columns, keys(spec, records, columns));
  }

  /** Plans for a table that exists: by name, never by position. */
  static ColumnPlan forTable(LoadSpec spec, RecordStream records, Target target) {
    List<Column> columns = new ArrayList<>();
    for (String name : mapped(spec, records)) {
      Column column = target.column(name);
      if (column.generated()) {
        throw new CaravanException(
            FailureCode.GENERATED_COLUMN,
            "Cannot load into %s: PostgreSQL generates the values of column '%s' itself."
                .formatted(target.name(), column.name()));
      }
      columns.add(column);
    }
    ColumnPlan plan = new ColumnPlan(columns, keys(spec, records, columns));
    plan.checkRequired(target);
    plan.checkUnique(spec, target);
    return plan;
  }

  private static List<String> mapped(LoadSpec spec, RecordStream records) {
    Map<String, String> mapping = new HashMap<>(spec.columnMapping());
    List<String> names = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (String source : records.columns()) {
      String name = mapping.containsKey(source) ? mapping.remove(source) : source;
      if (!seen.add(name)) {
        throw new CaravanException(
            FailureCode.DUPLICATE_HEADER,
            "Cannot load into %s: two columns of the file would go to column '%s'."
                .formatted(spec.target(), name));
      }
      names.add(name);
    }
    if (!mapping.isEmpty()) {
      throw mismatch(
          spec,
          records,
          "column '" + mapping.keySet().iterator().next() + "' of the column mapping");
    }
    return names;
  }

  private static List<Integer> keys(LoadSpec spec, RecordStream records, List<Column> columns) {
    List<Integer> keys = new ArrayList<>();
    for (String key : spec.keyColumns()) {
      int field = indexOf(columns, key);
      if (field < 0) {
        throw mismatch(spec, records, "key column '" + key + "'");
      }
      keys.add(field);
    }
    return keys;
  }

  private static int indexOf(List<Column> columns, String name) {
    int similar = -1;
    for (int i = 0; i < columns.size(); i++) {
      if (columns.get(i).name().equals(name)) {
        return i;
      }
      if (columns.get(i).name().equalsIgnoreCase(name)) {
        similar = i;
      }
    }
    return similar;
  }

  private static CaravanException mismatch(LoadSpec spec, RecordStream records, String what) {
    return new CaravanException(
        FailureCode.HEADER_MISMATCH,
        "Cannot load into %s: %s is not a column of the file. Its columns are: %s.%s"
            .formatted(
                spec.target(), what, String.join(", ", records.columns()), records.headerHint()));
  }

  private void checkRequired(Target target) {
    Set<String> loaded = new HashSet<>(names());
    for (Column column : target.columns().values()) {
      if (column.required() && !loaded.contains(column.name())) {
        throw new CaravanException(
            FailureCode.MISSING_COLUMN,
            "Cannot load into %s: its column '%s' must have a value and the file has no such column."
                .formatted(target.name(), column.name()));
      }
    }
  }

  private void checkUnique(LoadSpec spec, Target target) {
    Set<String> key = new HashSet<>(keyNames());
    if (!key.isEmpty() && !target.uniqueKeys().contains(key)) {
      throw new CaravanException(
          FailureCode.NO_UNIQUE_KEY,
          "Cannot load into %s: it has no unique constraint on its key columns (%s). Add one: ALTER TABLE %s ADD UNIQUE (%s)"
              .formatted(
                  spec.target(),
                  String.join(", ", keyNames()),
                  spec.target().sql(),
                  Identifier.list(keyNames())));
    }
  }

  /**
   * Holds the plan against the last load of the same pipeline.
   *
   * @param before target column to type, as the ledger has it
   */
  void checkDrift(TableName target, Map<String, String> before) {
    Map<String, String> now = types();
    before.forEach(
        (column, type) -> {
          if (!now.containsKey(column)) {
            throw new CaravanException(
                FailureCode.MISSING_COLUMN,
                "Cannot load into %s: column '%s' was in the file of the last load and is no longer there; its values would go stale."
                    .formatted(target, column));
          }
          if (!now.get(column).equals(type)) {
            throw new CaravanException(
                FailureCode.SCHEMA_DRIFT,
                "Cannot load into %s: column '%s' was %s at the last load and is %s now."
                    .formatted(target, column, type, now.get(column)));
          }
        });
  }

  /** Target column to type. */
  Map<String, String> types() {
    Map<String, String> types = new LinkedHashMap<>();
    columns.forEach(column -> types.put(column.name(), column.type()));
    return types;
  }

  /** True when some column is not plain text, so that values have to be checked. */
  boolean isTyped() {
    return columns.stream().anyMatch(column -> !column.isText());
  }

  List<String> names() {
    return columns.stream().map(Column::name).toList();
  }

  List<String> keyNames() {
    return keys.stream().map(i -> columns.get(i).name()).toList();
  }

  /** The staging column of field {@code i}. */
  static String staged(int i) {
    return "c" + i;
  }
}
