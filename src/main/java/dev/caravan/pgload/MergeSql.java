package dev.caravan.pgload;

import dev.caravan.pgload.Target.Column;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The statements that bring staged rows into the target, by load mode.
 *
 * @param staging the table of the staged rows
 * @param now the moment of the merge as an SQL literal: later than that of every load before
 * @param watched whether rows that need not be written are to be counted
 */
record MergeSql(LoadSpec spec, ColumnPlan plan, String staging, String now, boolean watched) {

  /** Deletes what the staged rows replace, before they are merged; empty: nothing. */
  Optional<String> deleteReplaced() {
    boolean keyless = plan.keys().isEmpty();
    String rows = "DELETE FROM " + spec.target().sql() + " AS t";
    String kept =
        " AND NOT EXISTS (SELECT FROM %s WHERE %s)".formatted(staging, Staging.sameKey(plan));
    return switch (spec.mode()) {
      case REPLACE -> keyless ? Optional.of(rows) : Optional.empty();
      case REPLACE_RANGE -> Optional.of(rows + " WHERE " + inRange() + (keyless ? "" : kept));
      default -> Optional.empty();
    };
  }

  /** Deletes what a merge in one statement deletes with it; empty: nothing. */
  Optional<String> deleteSurplus() {
    if (spec.mode() == LoadMode.REPLACE && !plan.keys().isEmpty()) {
      return Optional.of(
          "DELETE FROM %s AS t WHERE NOT EXISTS (SELECT FROM %s WHERE %s)"
              .formatted(spec.target().sql(), staging, Staging.sameKey(plan)));
    }
    return plan.keys().isEmpty() ? Optional.empty() : deleteReplaced();
  }

  private String inRange() {
    LoadRange range = spec.range().orElseThrow();
    int field = plan.columnOf(range.column());
    String name = "t." + Identifier.quote(plan.names().get(field));
    return range.isBounded()
        ? RangeBounds.of(plan, range).contains(name)
        : "%s IN (SELECT %s FROM %s)".formatted(name, Staging.value(plan, field), staging);
  }

  /** Whether the target has no row; then there is nothing to merge with. */
  String isEmpty() {
    return "SELECT NOT EXISTS (SELECT FROM " + spec.target().sql() + ")";
  }

  /**
   * The statement as text; it answers with the counts: inserted, updated, deleted.
   *
   * @param range limits the staged rows; some of them are merged without deleting others
   * @param empty whether the rows need only be inserted, because the target had none
   */
  String merge(String range, boolean empty) {
    if (plan.keys().isEmpty() || empty) {
      return insert(range, "ORDER BY %s.line".formatted(staging));
    }
    return switch (spec.mode()) {
      case UPSERT, REPLACE, REPLACE_RANGE -> mergeByKey(range);
      case INSERT_ONLY ->
          insert(range, "ON CONFLICT (" + Identifier.list(plan.keyNames()) + ") DO NOTHING");
      case SCD2 -> insertVersions(range);
      case APPEND -> throw new IllegalStateException("append has no key");
    };
  }

  /**
   * An expression for how many rows need not be written, to be asked before they are merged: known
   * ones for {@link LoadMode#INSERT_ONLY}, else equal ones.
   */
  String settled(String range, boolean empty) {
    if (!watched || plan.keys().isEmpty() || empty) {
      return "0";
    }
    String current =
        spec.mode() == LoadMode.SCD2 ? "t." + ControlColumn.CURRENT.sql() + " AND " : "";
    String equal = spec.mode() == LoadMode.INSERT_ONLY ? "" : " WHERE NOT " + changes();
    return "(SELECT count(*) FROM (SELECT %s FROM %s%s) AS s JOIN %s AS t ON %s%s%s)"
        .formatted(staged(), staging, range, spec.target().sql(), current, on(), equal);
  }

  private String insert(String range, String clause) {
    return """
        WITH added AS (
          INSERT INTO %s (%s) SELECT %s FROM %s%s %s RETURNING 1)
        SELECT count(*) AS inserted, 0 AS updated, 0 AS deleted FROM added"""
        .formatted(
            spec.target().sql(), Identifier.list(plan.names()), staged(), staging, range, clause);
  }

  /** Ends the current versions that the staged rows change; empty where there are none. */
  Optional<String> closeChanged(String range) {
    return spec.mode() == LoadMode.SCD2 ? Optional.of(close(range)) : Optional.empty();
  }

  private String close(String range) {
    return """
        UPDATE %s AS t SET %s = %s, %s = false
        FROM (SELECT %s FROM %s%s) AS s
        WHERE t.%s AND %s AND %s"""
        .formatted(
            spec.target().sql(),
            ControlColumn.VALID_TO.sql(),
            now,
            ControlColumn.CURRENT.sql(),
            staged(),
            staging,
            range,
            ControlColumn.CURRENT.sql(),
            on(),
            differs());
  }

  /** Inserts a version for each staged row that has no current one. */
  private String insertVersions(String range) {
    String target = spec.target().sql();
    String keys = Identifier.list(plan.keyNames());
    return """
        WITH known AS (SELECT DISTINCT %s FROM %s WHERE %s = %s),
        added AS (
          INSERT INTO %s (%s, %s)
          SELECT %s, %s FROM (SELECT %s FROM %s%s) AS s
          WHERE NOT EXISTS (SELECT FROM %s AS t WHERE t.%s AND %s)
          RETURNING %s)
        SELECT count(*) FILTER (WHERE known IS NULL) AS inserted,
               count(*) FILTER (WHERE known IS NOT NULL) AS updated, 0 AS deleted
        FROM added LEFT JOIN known USING (%s)"""
        .formatted(
            keys,
            target,
            ControlColumn.VALID_TO.sql(),
            now,
            target,
            Identifier.list(plan.names()),
            ControlColumn.VALID_FROM.sql(),
            prefixed("s.", plan.names()),
            now,
            staged(),
            staging,
            range,
            target,
            ControlColumn.CURRENT.sql(),
            on(),
            keys,
            keys);
  }

  /** Marks the rows, or closes the versions, that no staged row has the key of. */
  String markMissing() {
    boolean history = spec.mode() == LoadMode.SCD2;
    return """
        UPDATE %s AS t SET %s
        WHERE t.%s AND NOT EXISTS (SELECT FROM %s WHERE %s)"""
        .formatted(
            spec.target().sql(),
            history
                ? "%s = %s, %s = false"
                    .formatted(ControlColumn.VALID_TO.sql(), now, ControlColumn.CURRENT.sql())
                : ControlColumn.DELETED_AT.sql() + " = " + now,
            history ? ControlColumn.CURRENT.sql() : ControlColumn.DELETED_AT.sql() + " IS NULL",
            staging,
            Staging.sameKey(plan));
  }

  /** How many staged rows have no row in the target, or no current version. */
  String absent() {
    String current = spec.mode() == LoadMode.SCD2 ? " AND t." + ControlColumn.CURRENT.sql() : "";
    return "(SELECT count(*) FROM %s WHERE NOT EXISTS (SELECT FROM %s AS t WHERE %s%s))"
        .formatted(staging, spec.target().sql(), Staging.sameKey(plan), current);
  }

  private String staged() {
    return IntStream.range(0, plan.columns().size())
        .mapToObj(i -> Staging.value(plan, i) + " AS " + Identifier.quote(plan.names().get(i)))
        .collect(Collectors.joining(", "));
  }

  private String on() {
    return plan.keyNames().stream()
        .map(key -> "t.%1$s = s.%1$s".formatted(Identifier.quote(key)))
        .collect(Collectors.joining(" AND "));
  }

  private String mergeByKey(String range) {
    List<String> names = plan.names();
    return """
        WITH merged AS (
          MERGE INTO %s AS t
          USING (SELECT %s FROM %s%s%s) AS s
          ON %s
          %s
          WHEN NOT MATCHED THEN INSERT (%s) VALUES (%s)
          %s
          RETURNING merge_action() AS action)
        SELECT count(*) FILTER (WHERE action = 'INSERT') AS inserted,
               count(*) FILTER (WHERE action = 'UPDATE') AS updated,
               count(*) FILTER (WHERE action = 'DELETE') AS deleted
        FROM merged"""
        .formatted(
            spec.target().sql(),
            staged(),
            staging,
            range,
            // a cast stands in several places; as a subquery of its own it is made once
            plan.isTyped() ? " OFFSET 0" : "",
            on(),
            update(),
            Identifier.list(names),
            prefixed("s.", names),
            spec.mode() == LoadMode.REPLACE && range.isEmpty()
                ? "WHEN NOT MATCHED BY SOURCE THEN DELETE"
                : "");
  }

  private List<Column> values() {
    return plan.columns().stream().filter(c -> !plan.keyNames().contains(c.name())).toList();
  }

  private String update() {
    String set =
        values().stream()
            .map(c -> "%1$s = s.%1$s".formatted(Identifier.quote(c.name())))
            .collect(Collectors.joining(", "));
    if (marks()) {
      set += (set.isEmpty() ? "" : ", ") + ControlColumn.DELETED_AT.sql() + " = NULL";
    }
    return set.isEmpty() ? "" : "WHEN MATCHED AND " + changes() + " THEN UPDATE SET " + set;
  }

  private boolean marks() {
    return spec.onMissing() == OnMissing.SOFT_DELETE && spec.mode() != LoadMode.SCD2;
  }

  /** That a staged row changes the row of the target, in parentheses. */
  private String changes() {
    String back = marks() ? " OR t." + ControlColumn.DELETED_AT.sql() + " IS NOT NULL" : "";
    return "(" + differs() + back + ")";
  }

  private String differs() {
    List<Column> values = values();
    return values.isEmpty()
        ? "false"
        : "ROW(%s) IS DISTINCT FROM ROW(%s)"
            .formatted(compared("t.", values), compared("s.", values));
  }

  private static String compared(String prefix, List<Column> columns) {
    return columns.stream()
        .map(
            c ->
                prefix
                    + Identifier.quote(c.name())
                    + (c.comparable() ? "" : "::text COLLATE \"C\""))
        .collect(Collectors.joining(", "));
  }

  private static String prefixed(String prefix, List<String> names) {
    return names.stream()
        .map(name -> prefix + Identifier.quote(name))
        .collect(Collectors.joining(", "));
  }
}
