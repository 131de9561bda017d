package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.ShownName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The target table as PostgreSQL describes it.
 *
 * @param name the table
 * @param columns its columns by name, in their order
 * @param uniqueIndexes its unique indexes
 */
record Target(TableName name, Map<String, Column> columns, List<UniqueIndex> uniqueIndexes) {

  /**
   * One of them.
   *
   * @param columns of its key, without expressions
   * @param lack why a merge cannot rely on it; null when it can
   */
  record UniqueIndex(String name, Set<String> columns, String lack) {

    boolean serves(Set<String> key) {
      return lack == null && columns.equals(key);
    }

    @Override
    public String toString() {
      String why = lack == null ? "is on (%s)".formatted(String.join(", ", columns)) : lack;
      return "'%s' %s".formatted(name, why);
    }
  }

  /**
   * One column.
   *
   * @param type as {@code format_type} writes it, with its modifier
   * @param values what its values are made of
   * @param generated PostgreSQL makes the values itself (identity always, stored expression)
   * @param required NOT NULL without a default
   * @param notNull NOT NULL
   * @param comparable the type has an equality operator that tells every difference
   * @param collation the name of one under which different texts are equal; empty for every other
   */
  record Column(
      String name,
      String type,
      ValueType values,
      boolean generated,
      boolean required,
      boolean notNull,
      boolean comparable,
      String collation) {

    /** Characters of a varchar(n) or char(n); {@link ValueType#UNLIMITED} for every other type. */
    int maxLength() {
      return values.scalar().map(ValueType.Scalar::maxLength).orElse(ValueType.UNLIMITED);
    }

    /** An SQL text expression as the column takes it. */
    String typed(String text) {
      String typed = isText() ? text : text + "::" + type;
      return collation.isEmpty() ? typed : typed + " COLLATE " + collation;
    }

    boolean isJson() {
      return ValueFormats.isJson(values);
    }

    boolean isBoolean() {
      return values.scalar().filter(s -> s.name().equals("bool")).isPresent();
    }

    boolean isInteger() {
      return type.equals("smallint") || type.equals("integer") || type.equals("bigint");
    }

    /** Whether values of other bytes are other values. */
    boolean differsByBytes() {
      return isText() && collation.isEmpty();
    }

    boolean isText() {
      return type.equals("text") || type.equals("character varying");
    }
  }

  private static final Set<String> SYSTEM_SCHEMAS =
      Set.of("pg_catalog", "information_schema", "pg_toast", LoadTables.SCHEMA);

  /**
   * Looks the table up.
   *
   * @return empty when there is nothing of that name
   * @throws CaravanException TARGET_NOT_ALLOWED when it is not an ordinary table of the user's
   */
  static Optional<Target> find(Connection connection, TableName name) throws SQLException {
    if (SYSTEM_SCHEMAS.contains(name.schema()) || name.schema().startsWith("pg_")) {
      throw notAllowed(name, "schema " + name.schema() + " is not for user data");
    }
    String sql =
        """
        SELECT c.oid, c.relkind::text, c.relispartition,
          (SELECT min(r.rulename) FROM pg_rewrite r
           WHERE r.ev_class = c.oid AND r.ev_type <> '1' AND r.ev_enabled <> 'D')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ? AND c.relname = ?""";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, name.schema());
      query.setString(2, name.name());
      try (ResultSet row = query.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        long oid = row.getLong(1);
        checkKind(name, row.getString(2), row.getBoolean(3));
        checkRule(name, row.getString(4));
        return Optional.of(
            new Target(name, columns(connection, oid), uniqueIndexes(connection, oid)));
      }
    }
  }

  private static void checkKind(TableName name, String kind, boolean partition) {
    if (partition) {
      throw notAllowed(name, "it is a partition; load into its parent table");
    }
    switch (kind) {
      case "r", "p" -> {}
      case "v", "m" -> throw notAllowed(name, "it is a view");
      case "f" -> throw notAllowed(name, "it is a foreign table");
      default -> throw notAllowed(name, "it is not a table");
    }
  }

  /** A rule turns one statement into others, and nobody can count what they do. */
  private static void checkRule(TableName name, String rule) {
    if (rule != null) {
      throw notAllowed(name, "it has the rule '" + rule + "'; a trigger can do the same");
    }
  }

  private static CaravanException notAllowed(TableName name, String why) {
    return new CaravanException(
        FailureCode.TARGET_NOT_ALLOWED, "Cannot load into %s: %s.".formatted(name, why));
  }

  private static Map<String, Column> columns(Connection connection, long oid) throws SQLException {
    String sql =
        """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod),
               a.atttypid, a.atttypmod,
               a.attgenerated <> '' OR a.attidentity = 'a',
               (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND t.typdefault IS NULL
                 AND a.attidentity = '',
               a.attnotnull OR t.typnotnull,
               (EXISTS (SELECT FROM pg_operator o
                        WHERE o.oprname = '=' AND o.oprleft = t.oid AND o.oprright = t.oid)
                  OR t.typtype IN ('e', 'd', 'r') OR t.typcategory = 'A' OR t.typname = 'varchar')
                 AND co.oid IS NULL
                 -- citext; a month is equal to 30 days
                 AND NOT (x.typcategory = 'S' AND x.typnamespace <> 'pg_catalog'::regnamespace)
                 AND x.typcategory <> 'T',
               coalesce(co.collnamespace::regnamespace::text || '.' || quote_ident(co.collname), '')
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_type x ON x.oid = CASE t.typelem WHEN 0 THEN t.oid ELSE t.typelem END
        LEFT JOIN pg_collation co ON co.oid = a.attcollation AND NOT co.collisdeterministic
        WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum""";
    TypeCatalog types = TypeCatalog.of(connection, oid);
    Map<String, Column> columns = new LinkedHashMap<>();
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setLong(1, oid);
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          columns.put(
              row.getString(1),
              new Column(
                  row.getString(1),
                  row.getString(2),
                  types.type(row.getLong(3), row.getInt(4)),
                  row.getBoolean(5),
                  row.getBoolean(6),
                  row.getBoolean(7),
                  row.getBoolean(8),
                  row.getString(9)));
        }
      }
    }
    return columns;
  }

  private static List<UniqueIndex> uniqueIndexes(Connection connection, long oid)
      throws SQLException {
    String sql =
        """
        SELECT c.relname,
          ARRAY(SELECT a.attname::text
                FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.position <= i.indnkeyatts ORDER BY k.position),
          CASE WHEN NOT i.indisvalid THEN 'is not valid'
               WHEN NOT i.indimmediate THEN 'is deferrable'
               WHEN i.indexprs IS NOT NULL
                 THEN 'has an expression, ' || pg_get_expr(i.indexprs, i.indrelid)
               WHEN i.indpred IS NOT NULL
                 THEN 'has only the rows with ' || pg_get_expr(i.indpred, i.indrelid) END
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = ? AND i.indisunique
        ORDER BY i.indexrelid""";
    List<UniqueIndex> indexes = new ArrayList<>();
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setLong(1, oid);
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          String[] columns = (String[]) row.getArray(2).getArray();
          indexes.add(
              new UniqueIndex(
                  row.getString(1), new LinkedHashSet<>(Arrays.asList(columns)), row.getString(3)));
        }
      }
    }
    return indexes;
  }

  /**
   * The column that a name of the source means: the same name, or the only one that differs by
   * letter case alone.
   */
  Optional<Column> column(String sourceName) {
    Column exact = columns.get(sourceName);
    if (exact != null) {
      return Optional.of(exact);
    }
    List<Column> similar = new ArrayList<>();
    for (Column column : columns.values()) {
      if (column.name().equalsIgnoreCase(sourceName)) {
        similar.add(column);
      }
    }
    if (similar.size() > 1) {
      throw new CaravanException(
          FailureCode.AMBIGUOUS_COLUMN,
          "Cannot load into %s: column '%s' of the file fits %s; map it to one of them."
              .formatted(
                  name,
                  sourceName,
                  similar.stream()
                      .map(c -> "'" + c.name() + "'")
                      .collect(Collectors.joining(" and "))));
    }
    return similar.stream().findFirst();
  }

  /** The failure for a column of the file that the table does not have. */
  CaravanException unknown(String sourceName) {
    return new CaravanException(
        FailureCode.UNKNOWN_COLUMN,
        "Cannot load into %s: the file has a column '%s' that the table does not have. Its columns are: %s. Add the column, map the name, or set on_drift."
            .formatted(name, ShownName.of(sourceName), ShownName.list(columns.keySet())));
  }
}
