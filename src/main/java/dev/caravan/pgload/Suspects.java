package dev.caravan.pgload;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Queries for the lines that a constraint of the target will refuse, as far as a query can tell:
 * empty values, CHECKs, values that come twice, references to rows that are not there. Each may
 * find too few or too many.
 */
final class Suspects {

  private final LoadSpec spec;
  private final ColumnPlan plan;
  private final Staging staging;

  Suspects(LoadSpec spec, ColumnPlan plan, Staging staging) {
    this.spec = spec;
    this.plan = plan;
    this.staging = staging;
  }

  /**
   * The queries, each with the lines as its only column.
   *
   * @param marked a query for the lines that the queries before have found
   */
  List<String> queries(Connection connection, String marked) throws SQLException {
    List<String> queries = new ArrayList<>();
    addConstraints(connection, queries);
    addUnique(connection, queries);
    addReferences(connection, queries, marked);
    return queries;
  }

  private String target() {
    return Identifier.literal(spec.target().sql()) + "::regclass";
  }

  private void addConstraints(Connection connection, List<String> queries) throws SQLException {
    String sql =
        """
        SELECT ARRAY[a.attname]::text[], quote_ident(a.attname) || ' IS NOT NULL'
        FROM pg_attribute a WHERE a.attrelid = %1$s AND a.attnum > 0 AND a.attnotnull
        UNION ALL
        SELECT ARRAY(SELECT a.attname::text FROM unnest(c.conkey) k
                     LEFT JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k),
               pg_get_expr(c.conbin, c.conrelid)
        FROM pg_constraint c WHERE c.conrelid = %1$s AND c.contype = 'c'"""
            .formatted(target());
    try (PreparedStatement query = connection.prepareStatement(sql);
        ResultSet row = query.executeQuery()) {
      while (row.next()) {
        List<Integer> columns = columns(row.getArray(1));
        if (!columns.isEmpty()) {
          queries.add(
              "SELECT %s FROM (%s) s WHERE NOT (%s)"
                  .formatted(lineName(), rows(columns), row.getString(2)));
        }
      }
    }
  }

  private void addUnique(Connection connection, List<String> queries) throws SQLException {
    String sql =
        """
        SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(n, place)
                     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
                     WHERE k.place <= i.indnkeyatts)
        FROM pg_index i
        WHERE i.indrelid = %s AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL"""
            .formatted(target());
    try (PreparedStatement query = connection.prepareStatement(sql);
        ResultSet row = query.executeQuery()) {
      while (row.next()) {
        List<Integer> columns = columns(row.getArray(1));
        if (!columns.isEmpty() && !Set.copyOf(columns).equals(Set.copyOf(plan.keys()))) {
          queries.add(notTheFirst(columns));
          queries.add(taken(columns));
        }
      }
    }
  }

  private String notTheFirst(List<Integer> columns) {
    String names = Identifier.list(columns.stream().map(this::plain).toList());
    return """
        SELECT %1$s FROM (SELECT %1$s, row_number() OVER (PARTITION BY %2$s ORDER BY %1$s) AS place
          FROM (%3$s) s WHERE (%2$s) IS NOT NULL) n WHERE n.place > 1"""
        .formatted(lineName(), names, rows(columns));
  }

  private String taken(List<Integer> columns) {
    List<Integer> both = new ArrayList<>(columns);
    plan.keys().stream().filter(key -> !both.contains(key)).forEach(both::add);
    String other = plan.keys().isEmpty() ? "" : " AND NOT (" + same(plan.keys(), "t.") + ")";
    return "SELECT %s FROM (%s) s WHERE EXISTS (SELECT FROM %s t WHERE %s%s)"
        .formatted(lineName(), rows(both), spec.target().sql(), same(columns, "t."), other);
  }

  private void addReferences(Connection connection, List<String> queries, String marked)
      throws SQLException {
    String sql =
        """
        SELECT ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, place)
                     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY place),
               ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, place)
                     JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY place),
               format('%%I.%%I', n.nspname, p.relname), c.confrelid = c.conrelid
        FROM pg_constraint c
        JOIN pg_class p ON p.oid = c.confrelid JOIN pg_namespace n ON n.oid = p.relnamespace
        WHERE c.conrelid = %s AND c.contype = 'f'
        ORDER BY c.confrelid = c.conrelid"""
            .formatted(target());
    try (PreparedStatement query = connection.prepareStatement(sql);
        ResultSet row = query.executeQuery()) {
      while (row.next()) {
        List<Integer> columns = columns(row.getArray(1));
        List<String> referenced = List.of((String[]) row.getArray(2).getArray());
        boolean self = row.getBoolean(4);
        List<Integer> own = self ? columns(row.getArray(2)) : List.of();
        if (!columns.isEmpty() && !(self && own.isEmpty())) {
          queries.add(orphans(columns, referenced, row.getString(3), own));
          if (self) {
            queries.add(descendants(columns, own, marked));
          }
        }
      }
    }
  }

  private String orphans(
      List<Integer> columns, List<String> referenced, String parent, List<Integer> own) {
    String given =
        columns.stream()
            .map(i -> "s.%s IS NOT NULL".formatted(name(i)))
            .collect(Collectors.joining(" AND "));
    String inParent = pairs(columns, referenced, "p.");
    String inFile =
        own.isEmpty()
            ? ""
            : " AND NOT EXISTS (SELECT FROM (%s) p WHERE %s)"
                .formatted(rows(own), pairs(columns, own.stream().map(this::plain).toList(), "p."));
    return "SELECT %s FROM (%s) s WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)%s"
        .formatted(lineName(), rows(columns), given, parent, inParent, inFile);
  }

  /** Rows that refer to marked ones, and so on. */
  private String descendants(List<Integer> columns, List<Integer> own, String marked) {
    String line = lineName();
    return """
        WITH RECURSIVE bad(line) AS (
          %s UNION
          SELECT s.%s FROM bad JOIN (%s) p ON p.%s = bad.line JOIN (%s) s ON %s)
        SELECT line FROM bad"""
        .formatted(
            marked,
            line,
            rows(own),
            line,
            rows(columns),
            pairs(columns, own.stream().map(this::plain).toList(), "p."));
  }

  /** The loaded columns of these names; none when one of them is not loaded. */
  private List<Integer> columns(Array names) throws SQLException {
    List<Integer> columns =
        Arrays.stream((String[]) names.getArray())
            .map(name -> name == null ? -1 : plan.names().indexOf(name))
            .toList();
    return columns.contains(-1) ? List.of() : columns;
  }

  /** The staged rows with their line and some columns as the target names them. */
  private String rows(List<Integer> columns) {
    return columns.stream()
        .distinct()
        .map(i -> ", %s AS %s".formatted(Staging.value(plan, i), name(i)))
        .collect(
            Collectors.joining("", "SELECT line AS " + lineName(), " FROM " + staging.table()));
  }

  /** What the line is called beside the columns of the target. */
  private String lineName() {
    String name = "line";
    while (plan.names().contains(name)) {
      name += "_";
    }
    return Identifier.quote(name);
  }

  private String plain(int column) {
    return plan.names().get(column);
  }

  private String name(int column) {
    return Identifier.quote(plain(column));
  }

  private String same(List<Integer> columns, String other) {
    return pairs(columns, columns.stream().map(this::plain).toList(), other);
  }

  private String pairs(List<Integer> columns, List<String> others, String prefix) {
    return IntStream.range(0, columns.size())
        .mapToObj(
            i ->
                "%s%s = s.%s"
                    .formatted(prefix, Identifier.quote(others.get(i)), name(columns.get(i))))
        .collect(Collectors.joining(" AND "));
  }
}
