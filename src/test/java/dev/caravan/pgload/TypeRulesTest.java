package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.FailureCode;
import dev.caravan.testing.TestLoads;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every base type that the server knows, alone and inside of everything that a type can be inside
 * of. A type that a later PostgreSQL brings has no rules, so it is refused by name: then this test
 * fails until somebody has given it rules, or has put it among those that are refused.
 */
class TypeRulesTest {

  /** Words that PostgreSQL reads as a time or a number that they do not name. */
  private static final List<String> WORDS =
      List.of(
          "today",
          "now",
          "tomorrow",
          "yesterday",
          "epoch",
          "infinity",
          "-infinity",
          "+infinity",
          "Infinity",
          "inf",
          "-inf",
          "NaN",
          "nan",
          "allballs",
          "TODAY",
          " today",
          "today ",
          "(NaN,1)",
          "(1,inf)",
          "<(0,0),Infinity>",
          "infinity days",
          "today 12:00",
          "now+00");

  /** Other ways to write something, and what PostgreSQL would make something else of. */
  private static final List<String> OTHER_FORMS =
      List.of(
          "1/2/3",
          "03/04/2024",
          "Jan 5 25",
          "20240131",
          "2024-1-31",
          "31.01.2024",
          "2024-01-31 BC",
          "J2460341",
          "2024.031",
          "12:00:00+02",
          "12:00 PM",
          "120000",
          "23:59:60",
          "2024-01-31 23:59:60",
          "2024-01-31T23:59:60Z",
          "2024-01-31 12:00 CET",
          "12:00 Europe/Zurich",
          "2024-01-31 12:00:00.1234567",
          "@ 1 day",
          "1 day ago",
          "1-2",
          "-1 2:03:04",
          "yes",
          "on",
          "1_000",
          "0x1F",
          "0b1",
          "0o7",
          "010",
          "-1",
          "x1F",
          "b01",
          "1,5",
          "1e200000",
          "10.1/16",
          "10",
          "4.5",
          "$5",
          "(1)");

  /** Each type that has rules takes at least one of these. */
  private static final List<String> GOOD =
      List.of(
          "1",
          "101",
          "true",
          "2024-01-31",
          "12:00:00",
          "2024-01-31 12:00:00",
          "2024-01-31 12:00:00+00",
          "12:00:00+00",
          "1 day",
          "(1,2)",
          "{1,2,3}",
          "<(1,2),3>",
          "((1,2),(3,4))",
          "a",
          "\\x01",
          "192.168.0.1",
          "08:00:2b:01:02:03",
          "08:00:2b:01:02:03:04:05",
          "00000000-0000-0000-0000-000000000001",
          "<a/>",
          "{}",
          "$.a",
          "16/B374D848",
          "10:20:10");

  /** Types that say nothing without the catalog of this server, or that cannot be written. */
  private static final Set<String> REFUSED =
      Set.of(
          "aclitem",
          "gtsvector",
          "pg_brin_bloom_summary",
          "pg_brin_minmax_multi_summary",
          "pg_dependencies",
          "pg_mcv_list",
          "pg_ndistinct",
          "pg_node_tree",
          "regclass",
          "regcollation",
          "regconfig",
          "regdictionary",
          "regnamespace",
          "regoper",
          "regoperator",
          "regproc",
          "regprocedure",
          "regrole",
          "regtype");

  private static final List<String> VALUES =
      Stream.of(GOOD, WORDS, OTHER_FORMS).flatMap(List::stream).toList();

  private static final String TYPES =
      """
      SELECT t.typname, format_type(t.oid, -1), t.typdelim, t.typcategory, t.typarray <> 0,
        EXISTS (SELECT FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
          WHERE a.amname = 'btree' AND c.opcdefault AND (c.opcintype = t.oid
            OR EXISTS (SELECT FROM pg_cast WHERE castsource = t.oid AND casttarget = c.opcintype
                       AND castmethod = 'b' AND castcontext = 'i')))
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE n.nspname = 'pg_catalog' AND t.typtype = 'b'
        AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
      ORDER BY t.typname""";

  /**
   * Types that keep a part of what others do; there, a cast from text cuts where COPY would not.
   */
  private static final List<Type> LIMITED =
      List.of(
          new Type("varchar_3", "varchar(3)", ",", 'S', true, false),
          new Type("char_3", "char(3)", ",", 'S', true, false),
          new Type("bit_3", "bit(3)", ",", 'V', true, false),
          new Type("varbit_3", "varbit(3)", ",", 'V', true, false),
          new Type("numeric_4", "numeric(4,1)", ",", 'N', true, false),
          new Type("timestamp_0", "timestamp(0)", ",", 'D', true, false),
          new Type("timetz_0", "timetz(0)", ",", 'D', true, false),
          new Type("interval_day", "interval day", ",", 'T', true, false));

  private static final TableName TABLE = new TableName("public", "t");

  private final TestLoads loads = new TestLoads();

  /**
   * What {@code pg_type} says.
   *
   * @param sql the name to be used in SQL
   * @param ordered whether there can be ranges of it
   */
  private record Type(
      String name, String sql, String delimiter, char category, boolean hasArray, boolean ordered) {

    static Type of(String row) {
      String[] t = row.split("\\|", -1);
      return new Type(t[0], t[1], t[2], t[3].charAt(0), t[4].equals("t"), t[5].equals("t"));
    }

    /** Whether blanks at the end count for nothing. */
    boolean isPadded() {
      return name.equals("bpchar") || name.equals("char_3");
    }

    /** Another name for each type, because a load passes over content that it has loaded. */
    String key() {
      return "key_of_" + name;
    }
  }

  /**
   * Something that has a value of the type inside.
   *
   * @param type of the column
   * @param written the SQL expression for its text, with the value {@code v} inside
   * @param inside the SQL expression that takes the value out of column {@code %s} again
   */
  private record Shape(String type, String written, String inside) {}

  private static LoadSpec spec(Type type) {
    return new LoadSpec(
        TABLE,
        List.of(type.key()),
        Map.of(),
        LoadMode.UPSERT,
        Optional.empty(),
        OnMissing.KEEP,
        OnError.REJECT,
        OptionalLong.empty(),
        OptionalDouble.empty(),
        OnDrift.EVOLVE,
        false,
        ValueFormats.ISO,
        false);
  }

  /** Makes what a type can be inside of; the first shape is the type alone. */
  private List<Shape> shapes(Type type) throws Exception {
    StringBuilder ddl =
        new StringBuilder(
            """
            DROP TABLE IF EXISTS t; DROP TYPE IF EXISTS nested, comp, span CASCADE;
            DROP DOMAIN IF EXISTS checked, dom2, dom CASCADE;
            CREATE DOMAIN dom AS %s; CREATE DOMAIN dom2 AS dom;
            CREATE DOMAIN checked AS dom2 CHECK (value::text IS DISTINCT FROM 'no');
            CREATE TYPE comp AS (first text, second dom2); CREATE TYPE nested AS (inside comp[]);
            """
                .formatted(type.sql()));
    List<Shape> shapes = new ArrayList<>();
    shapes.add(new Shape(type.sql(), "v", "%s"));
    shapes.add(new Shape("dom", "v", "%s"));
    shapes.add(new Shape("dom2", "v", "%s"));
    shapes.add(new Shape("checked", "v", "%s"));
    shapes.add(new Shape("comp", "ROW('x', v)::text", "(%s).second"));
    shapes.add(
        new Shape(
            "nested", "ROW(ARRAY[ROW('x', v)::text]::text)::text", "((%s).inside[1]).second"));
    boolean comma = type.delimiter().equals(",");
    // {{}} is an array of nothing
    String array = comma ? "ARRAY[v]::text" : "'{' || CASE v WHEN '{}' THEN '?' ELSE v END || '}'";
    shapes.add(new Shape("dom[]", array, "%s[1]"));
    if (type.hasArray()) {
      shapes.add(new Shape(type.sql() + "[]", array, "%s[1]"));
      if (comma && !type.name().equals("money")) { // an array of money has one dimension
        shapes.add(new Shape(type.sql() + "[]", "ARRAY[ARRAY[v], ARRAY[v]]::text", "%s[2][1]"));
      }
    }
    if (type.ordered()) {
      ddl.append(
          "CREATE TYPE span AS RANGE (subtype = %s, multirange_type_name = spans)"
              .formatted(type.sql()));
      String bound = "'\"' || replace(replace(v, '\\', '\\\\'), '\"', '\"\"') || '\"'";
      String range = "'[' || " + bound + " || ',]'";
      shapes.add(new Shape("span", range, "lower(%s)"));
      shapes.add(new Shape("span", "'(,' || " + bound + " || ')'", "upper(%s)"));
      shapes.add(new Shape("spans", "'{' || " + range + " || '}'", "lower(%s)"));
      shapes.add(new Shape("span[]", "ARRAY[" + range + "]::text", "lower(%s[1])"));
    }
    loads.sql(ddl.toString());
    return shapes;
  }

  @Test
  void rulesHoldInsideOfEveryTypeOrItIsRefused() throws Exception {
    List<Type> types = new ArrayList<>(loads.rows(TYPES).stream().map(Type::of).toList());
    types.addAll(LIMITED);
    Set<String> refused = new TreeSet<>();
    List<String> wrong = new ArrayList<>();
    for (Type type : types) {
      List<Shape> shapes = shapes(type);
      createTable(type, shapes);
      List<String> unknown = unknown();
      if (unknown.isEmpty()) {
        wrong.addAll(wrong(type, shapes));
      } else {
        assertThat(unknown).as(type.name()).hasSize(shapes.size()).containsOnly(type.name());
        assertThatThrownBy(() -> loads.load(spec(type), type.key() + ",c0\n"))
            .hasMessageContaining("column 'c0' is of type %s, and there are no rules", type.sql())
            .extracting("code")
            .isEqualTo(FailureCode.TYPE_UNSUPPORTED);
        refused.add(type.name());
      }
    }
    assertThat(wrong).isEmpty();
    Set<String> known = types.stream().map(Type::name).collect(Collectors.toSet());
    assertThat(refused)
        .containsExactlyInAnyOrderElementsOf(REFUSED.stream().filter(known::contains).toList());
  }

  private void createTable(Type type, List<Shape> shapes) throws Exception {
    loads.sql(
        IntStream.range(0, shapes.size())
            .mapToObj(s -> ", c%d %s".formatted(s, shapes.get(s).type()))
            .collect(
                Collectors.joining("", "CREATE TABLE t (" + type.key() + " int PRIMARY KEY", ")")));
  }

  /** For each column the type inside that has no rules. */
  private List<String> unknown() throws Exception {
    try (Connection connection = loads.connection()) {
      Target target = Target.find(connection, TABLE).orElseThrow();
      return target.columns().values().stream()
          .flatMap(column -> column.values().unknown().stream())
          .toList();
    }
  }

  /** Loads each value in each shape, and looks at what has become of it. */
  private List<String> wrong(Type type, List<Shape> shapes) throws Exception {
    List<String> written = written(shapes);
    StringBuilder csv = new StringBuilder(type.key());
    IntStream.range(0, shapes.size()).forEach(s -> csv.append(",c").append(s));
    csv.append('\n');
    for (int id = 0; id < written.size(); id++) {
      int s = id / VALUES.size();
      csv.append(id).append(",".repeat(s + 1));
      csv.append('"').append(written.get(id).replace("\"", "\"\"")).append('"');
      csv.append(",".repeat(shapes.size() - 1 - s)).append('\n');
    }
    LoadResult result = loads.load(spec(type), csv.toString());
    assertThat(result.inserted() + result.rejected()).as(type.name()).isEqualTo(written.size());
    Map<Integer, String> stored = stored(type, shapes);
    List<String> wrong = new ArrayList<>();
    for (int v = 0; v < VALUES.size(); v++) {
      String alone = stored.get(v);
      if (alone != null && !isSame(type, v, alone)) {
        wrong.add("%s: '%s' became '%s'".formatted(type.name(), VALUES.get(v), alone));
      }
      for (int s = 1; s < shapes.size(); s++) {
        int id = s * VALUES.size() + v;
        if (!Optional.ofNullable(alone).equals(Optional.ofNullable(stored.get(id)))) {
          wrong.add(
              "%s: '%s' is '%s' alone, and %s in %s became '%s'"
                  .formatted(
                      type.name(),
                      VALUES.get(v),
                      alone,
                      written.get(id),
                      shapes.get(s).type(),
                      stored.get(id)));
        }
      }
    }
    if (IntStream.range(0, GOOD.size()).noneMatch(stored::containsKey)) {
      wrong.add(type.name() + " took nothing");
    }
    return wrong;
  }

  /** The values by shape, as texts. */
  private List<String> written(List<Shape> shapes) {
    String values =
        IntStream.range(0, VALUES.size())
            .mapToObj(v -> "(%d, %s)".formatted(v, Identifier.literal(VALUES.get(v))))
            .collect(Collectors.joining(", "));
    String texts =
        IntStream.range(0, shapes.size())
            .mapToObj(s -> "(%d, %s)".formatted(s, shapes.get(s).written()))
            .collect(Collectors.joining(", "));
    return loads.rows(
        """
        SELECT written FROM (VALUES %s) AS value(n, v)
        CROSS JOIN LATERAL (VALUES %s) AS shape(s, written) ORDER BY s, n"""
            .formatted(values, texts));
  }

  /** By id the value that was taken out of its shape again. */
  private Map<Integer, String> stored(Type type, List<Shape> shapes) {
    String inside =
        IntStream.range(0, shapes.size())
            .mapToObj(s -> "(" + shapes.get(s).inside().formatted("c" + s) + ")::text")
            .collect(Collectors.joining(", "));
    Map<Integer, String> stored = new HashMap<>();
    String sql = "SELECT %s, coalesce(%s, 'nothing') FROM t".formatted(type.key(), inside);
    for (String row : loads.rows(sql)) {
      int bar = row.indexOf('|');
      stored.put(Integer.parseInt(row, 0, bar, 10), row.substring(bar + 1));
    }
    return stored;
  }

  /** Whether a type took a text for what it says. */
  private static boolean isSame(Type type, int value, String stored) {
    String text = VALUES.get(value);
    return switch (type.category()) {
      case 'S' -> stored.equals(type.isPadded() ? text.stripTrailing() : text);
      case 'N' -> isSameNumber(type, text, stored);
      case 'B', 'D', 'I', 'T', 'V' -> value < GOOD.size() || stored.equals(text);
      case 'G' -> !WORDS.contains(text);
      default -> true;
    };
  }

  /** Money has its sign in front and two digits behind the point, and a float4 has few digits. */
  private static boolean isSameNumber(Type type, String text, String stored) {
    try {
      BigDecimal number = new BigDecimal(text);
      BigDecimal found = new BigDecimal(stored.replaceAll("[$,]", ""));
      return switch (type.name()) {
        case "money" -> number.setScale(2, RoundingMode.HALF_UP).compareTo(found) == 0;
        case "float4" -> number.floatValue() == found.floatValue();
        default -> number.compareTo(found) == 0;
      };
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
