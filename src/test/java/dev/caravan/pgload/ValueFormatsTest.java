package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.testing.TestLoads;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ValueFormatsTest {

  private static final ValueFormats GERMAN =
      new ValueFormats(
          Optional.of("dd.MM.yyyy"),
          Optional.of("dd.MM.yyyy HH:mm"),
          ',',
          Optional.of('.'),
          List.of("ja", "1"),
          List.of("nein", "0"));

  private final TestLoads loads = new TestLoads();

  private static LoadSpec spec(ValueFormats formats, boolean inferTypes) {
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
        inferTypes);
  }

  private List<String> types() {
    return loads.rows(
        """
        SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum""");
  }

  @Test
  void readsValuesAsTheyAreConfigured() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, n numeric, d date, ts timestamp, b boolean)");
    LoadResult result =
        loads.load(
            spec(GERMAN, false),
            """
            id,n,d,ts,b
            1,"1.234,56",31.12.2026,01.02.2026 13:45,ja
            1.000,"-0,5",01.01.2026,,0
            """);
    assertThat(result.inserted()).isEqualTo(2);
    assertThat(loads.rows("SELECT * FROM t ORDER BY id"))
        .containsExactly(
            "1|1234.56|2026-12-31|2026-02-01 13:45:00|t", "1000|-0.5|2026-01-01|null|f");
  }

  @Test
  void readsNothingThatIsWrittenOtherwise() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, n numeric, d date, ts timestamp, b boolean)");
    LoadResult result =
        loads.load(
            spec(GERMAN, false),
            """
            id,n,d,ts,b
            1,1.5,,,
            2,,2026-12-31,,
            3,,32.12.2026,,
            4,,,2026-01-01 00:00,
            5,,,,true
            0x1F,,,,
            1_0,,,,
            8,,,,nein
            """);
    assertThat(result.inserted()).isEqualTo(1);
    assertThat(loads.rows("SELECT line, column_name, code FROM caravan.reject ORDER BY line"))
        .containsExactly(
            "2|n|BAD_VALUE",
            "3|d|BAD_VALUE",
            "4|d|BAD_VALUE",
            "5|ts|BAD_VALUE",
            "6|b|BAD_VALUE",
            "7|id|BAD_VALUE",
            "8|id|BAD_VALUE");
    assertThat(loads.rows("SELECT message FROM caravan.reject WHERE line = 3"))
        .containsExactly(
            "'2026-12-31' is not taken by column 'd' of type date; expected is dd.MM.yyyy.");
  }

  @Test
  void infersTheTypesOfANewTable() throws Exception {
    LoadSpec inferring = spec(ValueFormats.ISO, true);
    LoadResult result =
        loads.load(
            inferring,
            """
            id,zip,amount,day,at,seen,flag,none,big,word
            2,01234,1.5,2026-01-01,2026-01-01 10:00:00,2026-01-01T10:00:00Z,true,,123456789012345678901,x
            2,99999,2,2026-01-02,,,false,,1,1
            10,00001,,,,,,,,
            """);
    assertThat(result.inserted()).isEqualTo(2);
    assertThat(result.superseded()).isEqualTo(1);
    assertThat(types())
        .containsExactly(
            "id|bigint",
            "zip|text",
            "amount|numeric",
            "day|date",
            "at|timestamp without time zone",
            "seen|timestamp with time zone",
            "flag|boolean",
            "none|text",
            "big|numeric",
            "word|text");
    String later =
        """
        id,zip,amount,day,at,seen,flag,none,big,word
        3,1,x,,,,,,,
        4,,,,,,,,,
        """;
    assertThat(loads.load(inferring, later).rejected())
        .as("a later file is held against the types")
        .isEqualTo(1);
  }

  @Test
  void infersInTheConfiguredFormats() throws Exception {
    loads.load(spec(GERMAN, true), "id,d,n,b\n1,31.12.2026,\"1,5\",ja\n");
    assertThat(types()).containsExactly("id|boolean", "d|date", "n|numeric", "b|boolean");
  }

  @Test
  void refusesFormatsThatCannotBeTold() {
    assertThatThrownBy(() -> german("dd.MM", ',', '.')).hasMessageContaining("dd.MM.yyyy");
    assertThatThrownBy(() -> german("dd. MMM yyyy", ',', '.')).hasMessageContaining("date format");
    assertThatThrownBy(() -> german("dd.MM.yyyy", ',', ',')).hasMessageContaining("thousands");
  }

  private static ValueFormats german(String date, char decimal, char thousands) {
    return new ValueFormats(
        Optional.of(date),
        Optional.empty(),
        decimal,
        Optional.of(thousands),
        List.of("ja"),
        List.of("nein"));
  }
}
