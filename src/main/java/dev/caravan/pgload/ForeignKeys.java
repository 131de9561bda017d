package dev.caravan.pgload;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** In which order tables are loaded, so that rows find the rows that they refer to. */
public final class ForeignKeys {

  private final Map<TableName, Integer> ranks;

  private ForeignKeys(Map<TableName, Integer> ranks) {
    this.ranks = ranks;
  }

  /** Those between the tables; one that does not exist has none. */
  public static ForeignKeys among(Connection connection, Collection<TableName> tables)
      throws SQLException {
    String sql =
        """
        WITH named (i, oid) AS (
          SELECT i, to_regclass(name)::oid FROM unnest(?::text[]) WITH ORDINALITY AS t (name, i))
        SELECT DISTINCT a.i, b.i FROM pg_catalog.pg_constraint c
        JOIN named a ON a.oid = c.conrelid JOIN named b ON b.oid = c.confrelid
        WHERE c.contype = 'f' AND a.i <> b.i""";
    List<TableName> numbered = List.copyOf(tables);
    Map<TableName, Set<TableName>> referenced = new HashMap<>();
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setArray(
          1, connection.createArrayOf("text", numbered.stream().map(TableName::sql).toArray()));
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          referenced
              .computeIfAbsent(numbered.get(row.getInt(1) - 1), table -> new HashSet<>())
              .add(numbered.get(row.getInt(2) - 1));
        }
      }
    }
    return new ForeignKeys(ranked(numbered, referenced));
  }

  /** Round by round those that refer to none that is left. */
  private static Map<TableName, Integer> ranked(
      List<TableName> tables, Map<TableName, Set<TableName>> referenced) {
    Map<TableName, Integer> ranks = new HashMap<>();
    Set<TableName> left = new LinkedHashSet<>(tables);
    for (int rank = 0; !left.isEmpty(); rank++) {
      List<TableName> free =
          left.stream()
              .filter(table -> Collections.disjoint(referenced.getOrDefault(table, Set.of()), left))
              .toList();
      if (free.isEmpty()) {
        free = List.of(left.iterator().next()); // they refer to each other in a circle
      }
      for (TableName table : free) {
        ranks.put(table, rank);
        left.remove(table);
      }
    }
    return ranks;
  }

  /**
   * Tables of a lower rank are loaded first; 0 for those that refer to none. In a circle of tables
   * one of them comes first.
   */
  public int rank(TableName table) {
    return ranks.getOrDefault(table, 0);
  }
}
