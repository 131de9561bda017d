package dev.caravan.pgload;

import dev.caravan.pgload.ValueType.Scalar;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The types that the columns of one table are made of, as {@code pg_type} describes them. */
final class TypeCatalog {

  /** A varchar(n) has the modifier n + 4. */
  private static final int LENGTH_HEADER = 4;

  private static final String PARTS =
      """
      WITH RECURSIVE reached(oid) AS (
        SELECT atttypid FROM pg_attribute WHERE attrelid = ? AND attnum > 0 AND NOT attisdropped
        UNION
        SELECT part FROM reached r JOIN pg_type t ON t.oid = r.oid CROSS JOIN LATERAL (
          SELECT t.typbasetype WHERE t.typtype = 'd'
          UNION ALL SELECT e.oid FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid
          UNION ALL SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid
          UNION ALL SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid
          UNION ALL SELECT atttypid FROM pg_attribute
            WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) parts(part))
      SELECT t.oid, n.nspname = 'pg_catalog', t.typname, t.typtype::text, e.oid, e.typdelim::text,
             t.typbasetype, t.typtypmod, r.rngsubtype, m.rngtypid,
             CASE WHEN t.typtype = 'c' THEN
               (SELECT array_agg(atttypid::int8 ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) END,
             CASE WHEN t.typtype = 'c' THEN
               (SELECT array_agg(atttypmod::int8 ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) END,
             EXISTS (SELECT FROM pg_constraint WHERE contypid = t.oid AND contype = 'c'),
             (SELECT x.extname FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
              WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                AND d.refclassid = 'pg_extension'::regclass)
      FROM reached JOIN pg_type t USING (oid) JOIN pg_namespace n ON n.oid = t.typnamespace
      LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
      LEFT JOIN pg_range r ON r.rngtypid = t.oid
      LEFT JOIN pg_range m ON m.rngmultitypid = t.oid""";

  private final Map<Long, Row> rows = new HashMap<>();

  /** One type; numbers are 0 where they do not apply. */
  private record Row(
      boolean builtIn,
      String name,
      String kind,
      long element,
      String delimiter,
      long base,
      int baseModifier,
      long bound,
      long range,
      List<Long> fields,
      List<Long> fieldModifiers,
      boolean checked,
      String extension) {}

  private TypeCatalog() {}

  static TypeCatalog of(Connection connection, long table) throws SQLException {
    TypeCatalog catalog = new TypeCatalog();
    try (PreparedStatement query = connection.prepareStatement(PARTS)) {
      query.setLong(1, table);
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          catalog.rows.put(
              row.getLong(1),
              new Row(
                  row.getBoolean(2),
                  row.getString(3),
                  row.getString(4),
                  row.getLong(5),
                  row.getString(6),
                  row.getLong(7),
                  row.getInt(8),
                  row.getLong(9),
                  row.getLong(10),
                  numbers(row, 11),
                  numbers(row, 12),
                  row.getBoolean(13),
                  row.getString(14)));
        }
      }
    }
    return catalog;
  }

  private static List<Long> numbers(ResultSet row, int column) throws SQLException {
    java.sql.Array numbers = row.getArray(column);
    return numbers == null ? List.of() : List.of((Long[]) numbers.getArray());
  }

  /**
   * The type of a column of the table.
   *
   * @param modifier as {@code pg_attribute} has it; of an array it is that of the elements
   */
  ValueType type(long oid, int modifier) {
    Row row = rows.get(oid);
    if (row.element() != 0) {
      return new ValueType.Array(type(row.element(), modifier), row.delimiter().charAt(0));
    }
    return switch (row.kind()) {
      case "d" -> {
        ValueType base = type(row.base(), row.baseModifier());
        yield row.checked() ? new ValueType.Checked(base) : base;
      }
      case "e" -> new Scalar(ValueFormats.ENUM, ValueType.UNLIMITED);
      case "r" -> new ValueType.Range(type(row.bound(), -1));
      case "m" ->
          new ValueType.Multirange(new ValueType.Range(type(rows.get(row.range()).bound(), -1)));
      case "c" -> new ValueType.Composite(fields(row));
      default -> new Scalar(name(row), maxLength(row, modifier));
    };
  }

  private List<ValueType> fields(Row row) {
    List<ValueType> fields = new ArrayList<>();
    for (int i = 0; i < row.fields().size(); i++) {
      fields.add(type(row.fields().get(i), row.fieldModifiers().get(i).intValue()));
    }
    return fields;
  }

  private static String name(Row row) {
    if (row.builtIn()) {
      return row.name();
    }
    return (row.extension() == null ? "" : row.extension()) + "." + row.name();
  }

  private static int maxLength(Row row, int modifier) {
    boolean limited =
        row.builtIn() && (row.name().equals("varchar") || row.name().equals("bpchar"));
    return limited && modifier >= LENGTH_HEADER ? modifier - LENGTH_HEADER : ValueType.UNLIMITED;
  }
}
