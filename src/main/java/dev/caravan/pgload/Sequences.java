package dev.caravan.pgload;

import java.math.BigInteger;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The sequences that give loaded columns their values where nobody else does: those of serial and
 * identity columns, and of a default that is a sequence and nothing else. They are set behind what
 * was loaded, so that the next row of somebody else does not get a key that is taken.
 */
final class Sequences {

  /**
   * So many values are drawn one by one, as everybody does, so that nobody gets one twice. A
   * sequence that is further behind is set at once: somebody would have to draw more than these in
   * the instant between the look and the set. A lock would close that gap, but would wait for every
   * transaction that has drawn a value, and one of those may wait for a row of this load.
   */
  private static final BigInteger MAX_DRAWN = BigInteger.valueOf(100_000);

  private static final Set<String> INTEGERS = Set.of("int2", "int4", "int8");

  private final Connection connection;
  private final LoadSpec spec;
  private final ColumnPlan plan;
  private final Staging staging;

  Sequences(Connection connection, LoadSpec spec, ColumnPlan plan, Staging staging) {
    this.connection = connection;
    this.spec = spec;
    this.plan = plan;
    this.staging = staging;
  }

  /**
   * One of them.
   *
   * @param step positive, or negative for one that counts down
   * @param last value that it gave; one step before its first where it has given none
   * @param end the last value that it can give
   * @param maySet whether the role has the rights to
   */
  private record Sequence(
      int column, long oid, String name, long step, long last, long end, boolean maySet) {

    /** The furthest of the values that it would come to; NULL for none. */
    String furthest(String value) {
      return "%1$s(%2$s) FILTER (WHERE %2$s %3$s %4$d AND %2$s %5$s %6$d)"
          .formatted(step > 0 ? "max" : "min", value, step > 0 ? ">" : "<", last, notPast(), end);
    }

    private String notPast() {
      return step > 0 ? "<=" : ">=";
    }

    /** What brings it to where the next value is behind this one; empty where it is there. */
    Optional<String> bringTo(long value) {
      BigInteger from = BigInteger.valueOf(last);
      BigInteger[] steps =
          BigInteger.valueOf(value).subtract(from).divideAndRemainder(BigInteger.valueOf(step));
      long reached = value - steps[1].longValue();
      if (steps[0].signum() == 0) {
        return Optional.empty();
      }
      return Optional.of(
          steps[0].compareTo(MAX_DRAWN) <= 0
              ? "SELECT 1 FROM (SELECT nextval(%d::regclass) AS v FROM generate_series(1, %d) OFFSET 0) d WHERE %d %s v LIMIT 1"
                  .formatted(oid, steps[0], reached, notPast())
              : "SELECT CASE WHEN NOT %2$d %3$s nextval(%1$d::regclass) THEN setval(%1$d::regclass, %2$d) END"
                  .formatted(oid, reached, notPast()));
    }
  }

  /**
   * Sets those that are behind.
   *
   * @return warnings, for those that the role may not set
   */
  List<String> setBehind() throws SQLException {
    List<Sequence> sequences = find();
    List<String> warnings = new ArrayList<>();
    for (Sequence sequence : sequences) {
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "SELECT %s FROM %s"
                      .formatted(
                          sequence.furthest(Staging.value(plan, sequence.column())),
                          staging.table()))) {
        row.next();
        long value = row.getLong(1);
        Optional<String> sql = row.wasNull() ? Optional.empty() : sequence.bringTo(value);
        if (sql.isPresent() && sequence.maySet()) {
          set(sql.get());
        } else if (sql.isPresent()) {
          warnings.add(warning(sequence, value));
        }
      }
    }
    return warnings;
  }

  private void set(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private String warning(Sequence sequence, long value) {
    return "SEQUENCE_NOT_SET: column '%s' was loaded up to %d, and the role may not set its sequence, which may give values that are taken. GRANT USAGE, UPDATE ON SEQUENCE %s, or set set_sequences to false"
        .formatted(plan.names().get(sequence.column()), value, sequence.name());
  }

  private List<Sequence> find() throws SQLException {
    List<String> integers =
        plan.columns().stream()
            .filter(c -> c.values().scalar().filter(s -> INTEGERS.contains(s.name())).isPresent())
            .map(Target.Column::name)
            .toList();
    List<Sequence> found = new ArrayList<>();
    if (integers.isEmpty()) {
      return found;
    }
    String sql =
        """
        SELECT a.attname, s.seqrelid::bigint, s.seqrelid::regclass::text, s.seqincrement,
          coalesce(CASE WHEN r.known THEN pg_sequence_last_value(s.seqrelid) END,
            s.seqstart - s.seqincrement),
          CASE WHEN s.seqincrement > 0 THEN s.seqmax ELSE s.seqmin END,
          r.known AND has_sequence_privilege(s.seqrelid, 'UPDATE')
        FROM pg_attribute a
        CROSS JOIN LATERAL (
          SELECT d.objid FROM pg_depend d
          WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
          UNION
          SELECT d.refobjid FROM pg_attrdef v JOIN pg_depend d ON d.objid = v.oid
          WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
            AND v.adrelid = a.attrelid AND v.adnum = a.attnum
            AND pg_get_expr(v.adbin, v.adrelid) LIKE 'nextval(%::regclass)') o(oid)
        JOIN pg_sequence s ON s.seqrelid = o.oid
        CROSS JOIN LATERAL (SELECT has_sequence_privilege(s.seqrelid, 'USAGE, SELECT')) r(known)
        WHERE a.attrelid = ?::regclass AND a.attname = ANY (?)""";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, spec.target().sql());
      query.setArray(2, connection.createArrayOf("text", integers.toArray()));
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          found.add(
              new Sequence(
                  plan.names().indexOf(row.getString(1)),
                  row.getLong(2),
                  row.getString(3),
                  row.getLong(4),
                  row.getLong(5),
                  row.getLong(6),
                  row.getBoolean(7)));
        }
      }
    }
    return found;
  }
}
