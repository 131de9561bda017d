package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Target.Column;
import dev.caravan.record.RecordStream;
import dev.caravan.record.ShownName;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which field of the source goes to which column of the target. Column {@code i} is staged as
 * {@code c<i>}.
 *
 * @param columns target columns that are loaded, in the order of the source's fields
 * @param fields for each column its field of the source
 * @param keys the columns that make the key
 * @param discarded fields of the source that go nowhere, because the target has no such column
 * @param drift how this load differs from the table and from the last load
 * @param formats how staged texts are read
 * @param asWritten columns whose values PostgreSQL reads as they are written
 */
record ColumnPlan(
    List<Column> columns,
    List<Integer> fields,
    List<Integer> keys,
    List<Integer> discarded,
    List<Drift> drift,
    ValueFormats formats,
    BitSet asWritten) {

  /** Indexes that do not serve, in a message. */
  private static final int MAX_NAMED = 5;

  /**
   * Plans for a table that does not exist: every column is text, or jsonb, and named as the
   * source's.
   */
  static ColumnPlan forNewTable(LoadSpec spec, RecordStream records) {
    List<String> names = mapped(spec, records);
    List<Integer> fields = IntStream.range(0, names.size()).boxed().toList();
    List<Column> columns =
        fields.stream().map(i -> newColumn(spec, records, i, names.get(i))).toList();
    checkControlColumns(spec, columns);
    for (String typed : spec.columnTypes().keySet()) {
      if (!names.contains(typed)) {
        throw mismatch(spec, records, "column '" + typed + "', which has a type given,");
      }
    }
    return new ColumnPlan(
        columns,
        fields,
        keys(spec, records, columns),
        List.of(),
        new ArrayList<>(),
        spec.formats(),
        new BitSet());
  }

  /** The same with the types that its values have turned out to have. */
  ColumnPlan withTypes(List<ColumnType> types) {
    List<Column> typed =
        IntStream.range(0, columns.size())
            .mapToObj(i -> types.get(i).column(columns.get(i).name()))
            .toList();
    return new ColumnPlan(typed, fields, keys, discarded, drift, formats, new BitSet());
  }

  private static Column newColumn(LoadSpec spec, RecordStream records, int field, String name) {
    Identifier.checkNewColumn(name)
        .ifPresent(
            problem -> {
              throw new CaravanException(
                  problem.code(),
                  "Cannot load into %s: column %d of the file, '%s', %s. Give it another name with column_mapping."
                      .formatted(
                          spec.target(),
                          field + 1,
                          ShownName.of(records.columns().get(field)),
                          problem.message()));
            });
    ColumnType otherwise = records.isJson(field) ? ColumnType.JSONB : ColumnType.TEXT;
    return spec.columnTypes().getOrDefault(name, otherwise).column(name);
  }

  /**
   * Plans for a table that exists: by name, never by position.
   *
   * @param before target column to type at the last load of the pipeline; empty at the first
   */
  static ColumnPlan forTable(
      LoadSpec spec, RecordStream records, Target target, Map<String, String> before) {
    List<Column> columns = new ArrayList<>();
    List<Integer> fields = new ArrayList<>();
    List<Integer> discarded = new ArrayList<>();
    List<Drift> drift = new ArrayList<>();
    List<String> names = mapped(spec, records);
    for (int field = 0; field < names.size(); field++) {
      String name = names.get(field);
      Optional<Column> column = target.column(name);
      if (column.isEmpty() && spec.onDrift() == OnDrift.FREEZE) {
        throw target.unknown(name);
      }
      if (column.isEmpty() && spec.onDrift() == OnDrift.EVOLVE) {
        column = Optional.of(newColumn(spec, records, field, name));
        drift.add(new Drift(Drift.Kind.ADDED, name, null, column.get().type()));
      }
      if (column.isEmpty()) {
        drift.add(new Drift(Drift.Kind.DISCARDED, name, null, null));
        discarded.add(field);
        continue;
      }
      columns.add(column.get());
      fields.add(field);
      if (column.get().isJson()) {
        records.writeAsJson(field);
      }
    }
    checkGenerated(target, columns);
    checkRules(target, columns);
    checkTypes(spec, target);
    checkControlColumns(spec, columns);
    ColumnPlan plan =
        new ColumnPlan(
            columns,
            fields,
            keys(spec, records, columns),
            discarded,
            drift,
            spec.formats(),
            new BitSet());
    plan.checkRequired(spec, target);
    plan.checkUnique(spec, target);
    plan.compare(spec, before);
    return plan;
  }

  private static void checkGenerated(Target target, List<Column> columns) {
    for (Column column : columns) {
      if (column.generated()) {
        throw new CaravanException(
            FailureCode.GENERATED_COLUMN,
            "Cannot load into %s: PostgreSQL generates the values of column '%s' itself."
                .formatted(target.name(), column.name()));
      }
    }
  }

  private static void checkRules(Target target, List<Column> columns) {
    for (Column column : columns) {
      Optional<String> unknown = column.values().unknown();
      if (unknown.isPresent()) {
        throw new CaravanException(
            FailureCode.TYPE_UNSUPPORTED,
            "Cannot load into %s: column '%s' is of type %s, and there are no rules for what is a value of %s. Load into a column of type text, and convert it there."
                .formatted(target.name(), column.name(), column.type(), unknown.get()));
      }
    }
  }

  /** Holds the table against the types that its columns are to have. */
  private static void checkTypes(LoadSpec spec, Target target) {
    spec.columnTypes()
        .forEach(
            (name, type) -> {
              Column column = target.columns().get(name);
              if (column == null && spec.onDrift() != OnDrift.EVOLVE) {
                throw target.unknown(name);
              }
              if (column != null && !column.type().equals(type.sql())) {
                throw notAsConfigured(target, name, column.type(), type.sql());
              }
              if (column != null && type.required() && !column.notNull()) {
                throw notAsConfigured(target, name, "nullable", "not null");
              }
            });
  }

  private static CaravanException notAsConfigured(
      Target target, String column, String found, String allowed) {
    return new CaravanException(
        FailureCode.SCHEMA_DRIFT,
        "Cannot load into %s: its column '%s' is %s; the types given for its columns say %s."
            .formatted(target.name(), column, found, allowed));
  }

  private static void checkControlColumns(LoadSpec spec, List<Column> columns) {
    for (ControlColumn control : spec.controlColumns()) {
      if (columns.stream().anyMatch(c -> c.name().equals(control.columnName()))) {
        throw new CaravanException(
            FailureCode.GENERATED_COLUMN,
            "Cannot load into %s: the file has a column '%s', which the load itself fills; map it to another name."
                .formatted(spec.target(), control.columnName()));
      }
    }
  }

  private static List<String> mapped(LoadSpec spec, RecordStream records) {
    Map<String, String> mapping = new HashMap<>(spec.columnMapping());
    List<String> names = new ArrayList<>();
    Map<String, Integer> positions = new HashMap<>();
    for (String source : records.columns()) {
      String name = mapping.containsKey(source) ? mapping.remove(source) : source;
      names.add(name);
      Integer before = positions.put(name.toLowerCase(Locale.ROOT), names.size());
      if (before != null) {
        throw new CaravanException(
            FailureCode.DUPLICATE_HEADER,
            "Cannot load into %s: columns %d and %d of the file would both go to column '%s' (letter case does not count). Give one of them another name with column_mapping."
                .formatted(spec.target(), before, names.size(), ShownName.of(name)));
      }
    }
    if (!mapping.isEmpty()) {
      throw mismatch(
          spec,
          records,
          "column '"
              + ShownName.of(mapping.keySet().iterator().next())
              + "' of the column mapping");
    }
    return names;
  }

  private static List<Integer> keys(LoadSpec spec, RecordStream records, List<Column> columns) {
    if (spec.range().isPresent() && indexOf(columns, spec.range().get().column()) < 0) {
      throw mismatch(spec, records, "column '" + spec.range().get().column() + "' of the range");
    }
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
                spec.target(), what, ShownName.list(records.columns()), records.headerHint()));
  }

  private void checkRequired(LoadSpec spec, Target target) {
    Set<String> loaded = new HashSet<>(names());
    for (ControlColumn control : spec.controlColumns()) {
      loaded.add(control.columnName());
      if (!target.columns().containsKey(control.columnName())) {
        throw new CaravanException(
            FailureCode.MISSING_COLUMN,
            "Cannot load into %s: it has no column '%s'. Add it: ALTER TABLE %s ADD COLUMN %s"
                .formatted(
                    target.name(),
                    control.columnName(),
                    target.name().sql(),
                    control.definition()));
      }
    }
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
    List<String> key = new ArrayList<>(keyNames());
    if (spec.mode() == LoadMode.SCD2) {
      key.add(ControlColumn.VALID_FROM.columnName());
    }
    if (!key.isEmpty()
        && target.uniqueIndexes().stream().noneMatch(i -> i.serves(Set.copyOf(key)))) {
      String others =
          target.uniqueIndexes().stream()
              .limit(MAX_NAMED)
              .map(Target.UniqueIndex::toString)
              .collect(Collectors.joining("; "));
      throw new CaravanException(
          FailureCode.NO_UNIQUE_KEY,
          "Cannot load into %s: it has no unique constraint on its key columns (%s).%s Add one: ALTER TABLE %s ADD UNIQUE (%s)"
              .formatted(
                  spec.target(),
                  String.join(", ", key),
                  others.isEmpty() ? "" : " Of its unique indexes " + others + ".",
                  spec.target().sql(),
                  Identifier.list(key)));
    }
  }

  /** Holds the plan against the last load of the same pipeline. */
  private void compare(LoadSpec spec, Map<String, String> before) {
    Map<String, String> now = types();
    before.forEach(
        (column, type) -> {
          if (!now.containsKey(column)) {
            drift.add(new Drift(Drift.Kind.REMOVED, column, type, null));
          } else if (!bare(now.get(column)).equals(bare(type))) {
            drift.add(new Drift(Drift.Kind.RETYPED, column, type, now.get(column)));
          }
        });
    if (spec.onDrift() == OnDrift.FREEZE && !drift.isEmpty()) {
      throw frozen(spec.target(), drift.get(0));
    }
  }

  /** A type without its schema, which is shown or not as the search path and quoting have it. */
  private static String bare(String type) {
    return type.replace("\"", "").replaceFirst("^[^(.]+[.]", "");
  }

  private static CaravanException frozen(TableName target, Drift change) {
    return change.kind() == Drift.Kind.REMOVED
        ? new CaravanException(
            FailureCode.MISSING_COLUMN,
            "Cannot load into %s: column '%s' was in the file of the last load and is no longer there; its values would go stale."
                .formatted(target, change.column()))
        : new CaravanException(
            FailureCode.SCHEMA_DRIFT,
            "Cannot load into %s: column '%s' was %s at the last load and is %s now."
                .formatted(target, change.column(), change.before(), change.after()));
  }

  /** Target column to type. */
  Map<String, String> types() {
    Map<String, String> types = new LinkedHashMap<>();
    columns.forEach(column -> types.put(column.name(), column.type()));
    return types;
  }

  /** Notes the columns that had plain values only, which mean the same to PostgreSQL. */
  void settle(PlainValues values) {
    for (int i = 0; i < columns.size(); i++) {
      asWritten.set(i, !values.isDoubtful(i) && !columns.get(i).isBoolean());
    }
  }

  /** Whether PostgreSQL reads every value of the column as it is written. */
  boolean isAsWritten(int column) {
    return asWritten.get(column);
  }

  /** True when some column is not plain text, so that values have to be checked. */
  boolean isTyped() {
    return columns.stream().anyMatch(column -> !column.isText());
  }

  /** The columns whose names have characters that nobody sees. */
  List<String> hiddenNames() {
    return names().stream().filter(ShownName::hasHidden).map(ShownName::of).toList();
  }

  List<String> names() {
    return columns.stream().map(Column::name).toList();
  }

  List<String> keyNames() {
    return keys.stream().map(i -> columns.get(i).name()).toList();
  }

  /** The columns that the target does not have yet. */
  List<Drift> added() {
    return drift.stream().filter(change -> change.kind() == Drift.Kind.ADDED).toList();
  }

  /** The fields of the source that make the key. */
  List<Integer> keyFields() {
    return keys.stream().map(fields::get).toList();
  }

  /** The loaded column of that name. */
  int columnOf(String name) {
    return indexOf(columns, name);
  }

  /** The staging column of column {@code i}. */
  static String staged(int i) {
    return "c" + i;
  }
}
