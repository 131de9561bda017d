package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.testing.TestLoads;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ValueTypeTest {

  private static final ValueFormats GERMAN =
      new ValueFormats(
          Optional.of("dd.MM.yyyy"),
          Optional.empty(),
          ',',
          Optional.empty(),
          List.of("ja"),
          List.of("nein"));

  private final TestLoads loads = new TestLoads();

  private static LoadSpec spec(
      ValueFormats formats, boolean inferTypes, Map<String, ColumnType> types) {
    return new LoadSpec(
        new TableName("public", "t"),
        List.of("id"),
        Map.of(),
        LoadMode.UPSERT,
        Optional.empty(),
        OnMissing.KEEP,
        OnError.REJECT,
        OptionalLong.empty(),
        OptionalDouble.empty(),
        OnDrift.FREEZE,
        false,
        formats,
        inferTypes,
        types,
        true);
  }

  private static LoadSpec iso() {
    return spec(ValueFormats.ISO, false, Map.of());
  }

  private List<String> rejects() {
    return loads.rows("SELECT line, column_name, code FROM caravan.reject ORDER BY line");
  }

  private List<String> types() {
    return loads.rows(
        """
        SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
        WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum""");
  }

  @Test
  void readsDomainsAsTheTypeThatTheyAreOver() throws Exception {
    loads.sql(
        """
        CREATE DOMAIN ddate AS date; CREATE DOMAIN dnum AS numeric(12,2);
        CREATE DOMAIN dbool AS boolean; CREATE DOMAIN dts AS timestamptz;
        CREATE TABLE t (id int PRIMARY KEY, d ddate, n dnum, b dbool, ts dts)""");
    loads.load(
        spec(GERMAN, false, Map.of()),
        """
        id,d,n,b,ts
        1,03.04.2024,"1234,56",ja,2024-01-31T12:00:00Z
        2,today,1.5,yes,now
        3,31.01.2024,"1,5",nein,2024-01-31 12:00:00
        """);
    assertThat(loads.rows("SELECT id, d, n, b, ts AT TIME ZONE 'UTC' FROM t"))
        .containsExactly("1|2024-04-03|1234.56|t|2024-01-31 12:00:00");
    assertThat(rejects()).containsExactly("3|d|BAD_VALUE", "4|ts|BAD_VALUE");
  }

  @Test
  void readsTheConfiguredFormatsInsideOfContainers() throws Exception {
    loads.sql(
        """
        CREATE TYPE comp AS (d date, n numeric, note text);
        CREATE TABLE t (id int PRIMARY KEY, a date[], r daterange, m datemultirange, c comp,
          n numeric[])""");
    loads.load(
        spec(GERMAN, false, Map.of()),
        """
        id,a,r,m,c,n
        1,"{03.04.2024,NULL}","[03.04.2024,05.04.2024)","{[03.04.2024,05.04.2024),(06.04.2024,)}","(03.04.2024,""1,5"",""a ""\""b\\\\c)"")","{""1,5""}"
        2,{2024-04-03},,,,
        3,,"[2024-04-03,)",,,
        4,,,"{[01.01.2024,02.01.2024),[today,)}",,
        5,,,,"(03.04.2024,NaN,x)",
        6,,,,,"{""2,5"",1.5}"
        7,,empty,{},"(,,)",{}
        """);
    assertThat(loads.rows("SELECT * FROM t ORDER BY id"))
        .containsExactly(
            "1|{2024-04-03,NULL}|[2024-04-03,2024-04-05)|{[2024-04-03,2024-04-05),[2024-04-07,)}|(2024-04-03,1.5,\"a \"\"b\\\\c)\")|{1.5}",
            "7|null|empty|{}|(,,)|{}");
    assertThat(rejects())
        .containsExactly(
            "3|a|BAD_VALUE", "4|r|BAD_VALUE", "5|m|BAD_VALUE", "6|c|BAD_VALUE", "7|n|BAD_VALUE");
  }

  @Test
  void wholeNumbersMayHaveAFractionOfNothing() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, a int[], r int8range, s smallint)");
    loads.load(
        iso(),
        """
        id,a,r,s
        4.0,"{1.0,2,-3.00}","[1.0, 3.0)",7.
        5,"{1.5}",,
        6,,"[1.5,2)",
        7,,,4.5
        8,"{{1,2},{3,4}}",,
        9,"[0:1]={1,2}",,
        10,"{{1.0,2},{3,4}}",,
        4,,,8
        """);
    assertThat(loads.rows("SELECT * FROM t ORDER BY id"))
        .containsExactly("4|null|null|8", "8|{{1,2},{3,4}}|null|null", "9|[0:1]={1,2}|null|null");
    assertThat(rejects())
        .containsExactly("3|a|BAD_VALUE", "4|r|BAD_VALUE", "5|s|BAD_VALUE", "8|a|BAD_VALUE");
  }

  @Test
  void roundsAsTheManualSaysAndTakesNoSecondThatIsNone() throws Exception {
    loads.sql(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(10,2), ts timestamp, t time, m money)");
    loads.load(
        iso(),
        """
        id,n,ts,t,m
        1,1.005,2024-01-31 24:00:00,24:00:00,1.005
        2,-1.005,,,-3
        3,,2024-01-31 23:59:60,,
        4,,,23:59:60,
        5,99999999.999,,,
        6,,,,NaN
        """);
    assertThat(loads.rows("SELECT id, n, ts, t, m::numeric FROM t ORDER BY id"))
        .containsExactly("1|1.01|2024-02-01 00:00:00|24:00:00|1.01", "2|-1.01|null|null|-3.00");
    assertThat(rejects())
        .containsExactly("4|ts|BAD_VALUE", "5|t|BAD_VALUE", "6|n|BAD_VALUE", "7|m|BAD_VALUE");
  }

  @Test
  void cutsNoText() throws Exception {
    loads.sql(
        """
        CREATE DOMAIN code AS varchar(3);
        CREATE TABLE t (id int PRIMARY KEY, c "char", n name, v varchar(3), d code, a varchar(3)[],
          b bit(3))""");
    String long63 = "n".repeat(63);
    loads.load(
        iso(),
        """
        id,c,n,v,d,a,b
        1,x,%s,abc,abc,{abc},101
        2,xy,,,,,
        3,,%sn,,,,
        4,,,"abc ",,,
        5,,,,"abc ",,
        6,,,,,"{""abc ""}",
        7,,,,,,1011
        8,é,,,,,
        """
            .formatted(long63, long63));
    assertThat(loads.rows("SELECT * FROM t"))
        .containsExactly("1|x|" + long63 + "|abc|abc|{abc}|101");
    assertThat(rejects())
        .containsExactly(
            "3|c|TOO_LONG",
            "4|n|TOO_LONG",
            "5|v|TOO_LONG",
            "6|d|TOO_LONG",
            "7|a|BAD_VALUE",
            "8|b|BAD_VALUE",
            "9|c|TOO_LONG");
  }

  /** As the input function of PostGIS does, which does not know how to say no. */
  @Test
  void oneValueThatRaisesAnErrorIsOneReject() throws Exception {
    loads.sql(
        """
        CREATE FUNCTION parse(v text) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
          IF v !~ '^POINT' THEN RAISE EXCEPTION 'parse error' USING ERRCODE = 'XX000'; END IF;
          RETURN true;
        END $$;
        CREATE DOMAIN shape AS text CHECK (parse(value));
        CREATE DOMAIN ratio AS int CHECK (1 / value < 2);
        CREATE TABLE t (id int PRIMARY KEY, s shape, a shape[], r ratio)""");
    LoadResult result =
        loads.load(
            iso(),
            """
            id,s,a,r
            1,POINT(1 2),{POINT(1 2)},1
            2,nonsense,,
            3,,"{POINT(1 2),nonsense}",
            4,,,0
            5,POINT(3 4),,2
            """);
    assertThat(result.inserted()).isEqualTo(2);
    assertThat(rejects()).containsExactly("3|s|BAD_VALUE", "4|a|BAD_VALUE", "5|r|BAD_VALUE");
    assertThat(loads.rows("SELECT proname FROM pg_proc WHERE proname LIKE 'caravan\\_reads%'"))
        .isEmpty();
  }

  @Test
  void onlyDeepJsonIsRefusedForItsDepth() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, j json, b jsonb, a jsonb[])");
    String deep = "[".repeat(10_000) + "]".repeat(10_000);
    String wide = "[" + "[[]],".repeat(100) + "\"[[[[\"]";
    loads.load(
        iso(),
        "id,j,b,a\n1,\"%s\",\"%s\",\n2,\"%s\",,\n3,,\"%s\",\n4,,,\"{%s}\"\n5,%s,,\n"
            .formatted(
                wide.replace("\"", "\"\""),
                wide.replace("\"", "\"\""),
                deep,
                deep,
                "[".repeat(65) + "]".repeat(65),
                "[".repeat(64) + "]".repeat(64)));
    assertThat(loads.rows("SELECT id FROM t ORDER BY id")).containsExactly("1", "5");
    assertThat(rejects()).containsExactly("3|j|JSON_DEPTH", "4|b|JSON_DEPTH", "5|a|BAD_VALUE");
  }

  private static Map<String, ColumnType> given(String... namesAndTypes) {
    return IntStream.range(0, namesAndTypes.length / 2)
        .boxed()
        .collect(
            Collectors.toMap(
                i -> namesAndTypes[2 * i], i -> ColumnType.of(namesAndTypes[2 * i + 1])));
  }

  @Test
  void aNewTableGetsTheTypesThatAreGiven() throws Exception {
    LoadSpec spec =
        spec(
            ValueFormats.ISO,
            false,
            given("id", "int", "amount", "numeric(12,2) not null", "code", "varchar(3)"));
    loads.load(spec, "id,amount,code,note\n1,1.50,abc,x\n2,,,\n3,x,,\n4,1,abcd,\n");
    assertThat(types())
        .containsExactly(
            "id|integer|t", "amount|numeric(12,2)|t", "code|character varying(3)|f", "note|text|f");
    assertThat(rejects())
        .containsExactly("3|amount|CONSTRAINT", "4|amount|BAD_VALUE", "5|code|TOO_LONG");
    assertThat(loads.rows("SELECT * FROM t")).containsExactly("1|1.50|abc|x");
    assertThat(loads.load(spec, "id,amount,code,note\n9,1,,\n").inserted()).isEqualTo(1);
  }

  @Test
  void theOtherColumnsAreInferred() throws Exception {
    loads.load(
        spec(ValueFormats.ISO, true, given("zip", "int", "amount", "numeric(5,1)")),
        "id,zip,amount,day\n1,0123,1.25,2024-01-31\n2,x,1,2024-02-01\n");
    assertThat(types())
        .containsExactly("id|bigint|t", "zip|integer|f", "amount|numeric(5,1)|f", "day|date|f");
    assertThat(rejects()).containsExactly("3|zip|BAD_VALUE");
  }

  @Test
  void infersFloatingPointWhereExponentsAreWrittenAndNoDigitIsLost() throws Exception {
    loads.load(
        spec(ValueFormats.ISO, true, Map.of()),
        "id,e,exact,whole\n1,1.5e-7,1e3,4.0\n2,2,12345678901234567890,5\n");
    assertThat(types())
        .containsExactly(
            "id|bigint|t", "e|double precision|f", "exact|numeric|f", "whole|numeric|f");
  }

  @Test
  void anOldTableMustHaveTheTypesThatAreGiven() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, amount numeric(10,2))");
    String csv = "id,amount\n1,1\n";
    assertRefused(given("amount", "numeric(12,2)"), csv, "numeric(10,2)");
    assertRefused(given("amount", "numeric(10,2) not null"), csv, "not null");
    LoadSpec right = spec(ValueFormats.ISO, false, given("amount", "numeric(10,2)"));
    assertThat(loads.load(right, csv).inserted()).isEqualTo(1);
  }

  private void assertRefused(Map<String, ColumnType> types, String csv, String message) {
    assertThatThrownBy(() -> loads.load(spec(ValueFormats.ISO, false, types), csv))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.SCHEMA_DRIFT))
        .hasMessageContaining(message);
  }
}
