package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.testing.TestLoads;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoadModeTest {

  private static final TableName TABLE = new TableName("public", "people");
  private static final List<String> ID = List.of("id");

  private final TestLoads loads = new TestLoads();

  private static LoadSpec spec(
      List<String> keys, LoadMode mode, Optional<LoadRange> range, OnMissing onMissing) {
    return new LoadSpec(
        TABLE,
        keys,
        Map.of(),
        mode,
        range,
        onMissing,
        OnError.REJECT,
        OptionalLong.empty(),
        OptionalDouble.empty(),
        OnDrift.FREEZE,
        false,
        ValueFormats.ISO,
        false);
  }

  private static LoadSpec range(List<String> keys, LoadRange range) {
    return spec(keys, LoadMode.REPLACE_RANGE, Optional.of(range), OnMissing.KEEP);
  }

  private static LoadRange months() {
    return new LoadRange("month", Optional.empty(), Optional.empty());
  }

  /** The counts that are not 0. */
  private String counts(LoadSpec spec, String csv) throws Exception {
    Map<String, Long> counts = loads.load(spec, csv).counts();
    counts.values().removeIf(count -> count == 0);
    return counts.toString();
  }

  private List<String> people() {
    return loads.rows("SELECT * FROM people ORDER BY 1, 2, 3");
  }

  @Test
  void appendKeepsEveryRowTwice() throws Exception {
    LoadSpec append = LoadSpec.of(TABLE, List.of(), LoadMode.APPEND);
    assertThat(counts(append, "id,a,b\n1,x,\n1,x,\n")).isEqualTo("{read=2, inserted=2}");
    assertThat(counts(append, "id,a,b\n1,x,\n2,y,\n")).isEqualTo("{read=2, inserted=2}");
    assertThat(people()).containsExactly("1|x|null", "1|x|null", "1|x|null", "2|y|null");
  }

  @Test
  void appendSetsAsideWhatTheTableRefuses() throws Exception {
    loads.sql("CREATE TABLE people (id int PRIMARY KEY, a text, b text)");
    LoadSpec append = LoadSpec.of(TABLE, List.of(), LoadMode.APPEND);
    assertThat(counts(append, "id,a,b\n1,x,\n2,x,\n1,z,\nq,,\n"))
        .isEqualTo("{read=4, inserted=2, rejected=2}");
    assertThat(loads.rows("SELECT line, code FROM caravan.reject ORDER BY line"))
        .containsExactly("4|CONSTRAINT", "5|BAD_VALUE");
    assertThat(people()).containsExactly("1|x|null", "2|x|null");
  }

  @Test
  void insertOnlyLeavesKnownKeysAloneAndCountsThem() throws Exception {
    LoadSpec insertOnly = LoadSpec.of(TABLE, ID, LoadMode.INSERT_ONLY);
    assertThat(counts(insertOnly, "id,a,b\n1,x,\n2,x,\n")).isEqualTo("{read=2, inserted=2}");
    assertThat(counts(insertOnly, "id,a,b\n2,new,\n3,y,\n3,z,\n"))
        .isEqualTo("{read=3, inserted=1, superseded=1, filtered=1}");
    assertThat(people()).containsExactly("1|x|null", "2|x|null", "3|z|null");
  }

  @Test
  void replacesTheMonthsOfTheFile() throws Exception {
    LoadSpec months = range(List.of(), months());
    counts(months, "month,a,b\n01,x,1\n01,x,2\n02,y,1\n");
    assertThat(counts(months, "month,a,b\n02,z,1\n02,z,2\n03,n,1\n,,1\n"))
        .isEqualTo("{read=4, inserted=3, rejected=1, deleted=1}");
    assertThat(people()).containsExactly("01|x|1", "01|x|2", "02|z|1", "02|z|2", "03|n|1");
    assertThat(loads.rows("SELECT line, column_name, code FROM caravan.reject"))
        .containsExactly("5|month|OUT_OF_RANGE");
  }

  @Test
  void replacesARangeByKeySoThatEqualRowsAreNotWritten() throws Exception {
    LoadSpec months = range(ID, months());
    counts(months, "id,month,a\n1,01,x\n2,01,y\n3,02,z\n");
    assertThat(counts(months, "id,month,a\n1,01,x\n4,01,n\n"))
        .isEqualTo("{read=2, inserted=1, unchanged=1, deleted=1}");
    assertThat(people()).containsExactly("1|01|x", "3|02|z", "4|01|n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          date              | 2026-02-01 | tomorrow   | 'tomorrow' is no value of it; expected is yyyy-mm-dd
          date              | 01.02.2026 | 2026-03-01 | '01.02.2026' is no value of it
          ddate             | 2026-02-01 | infinity   | 'infinity' is no value of it
          daterange         | [today,)   | (2027-01-01,) | '[today,)' is no value of it
          timestamptz       | 2026-02-01 00:00:00Z | 2026-03-01 00:00:00 | '2026-03-01 00:00:00' is no value
          integer           | 1          | 0x10       | '0x10' is no value of it
          varchar(2)        | aa         | bbb        | 'bbb' is no value of it
          integer           | 10         | 9          | the second is not behind the first
          date              | 2026-02-01 | 2026-02-01 | the second is not behind the first
          xml               | <a/>       | <b/>       | the type has no order
          tsquery           | a &        | b          | 'a &' is no value of it
          raises            | 1          | 2          | they are no values of it
          odd               | 0          | 1          | they are no values of it
          """)
  void boundsOfARangeAreValuesOfItsColumn(String type, String from, String to, String problem)
      throws Exception {
    loads.sql("CREATE DOMAIN ddate AS date");
    loads.sql(
        """
        CREATE FUNCTION raise() RETURNS boolean LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'never'; END $$;
        CREATE DOMAIN raises AS int CHECK (value IS NULL OR raise())""");
    loads.sql("CREATE DOMAIN odd AS int CHECK (1 / value > 0)");
    loads.sql("CREATE TABLE people (id int PRIMARY KEY, part %s)".formatted(type));
    loads.sql("INSERT INTO people (id) VALUES (1)");
    LoadSpec part = range(ID, new LoadRange("part", Optional.of(from), Optional.of(to)));
    assertThatThrownBy(() -> loads.load(part, "id,part\n2,\n"))
        .hasMessageContaining("'part' is of type")
        .hasMessageContaining(problem)
        .extracting("code")
        .isEqualTo(FailureCode.CONFIG_INVALID);
    assertThat(loads.rows("SELECT id FROM people")).containsExactly("1");
  }

  @Test
  void boundsOfARangeAreReadAsTheirTypeIs() throws Exception {
    loads.sql("CREATE TABLE people (id int PRIMARY KEY, part int)");
    loads.sql("INSERT INTO people VALUES (1, 9), (2, 10), (3, 20)");
    LoadSpec part = range(ID, new LoadRange("part", Optional.of("9.0"), Optional.of("20")));
    assertThat(counts(part, "id,part\n2,10\n4,19.0\n5,20\n6,8\n"))
        .isEqualTo("{read=4, inserted=1, unchanged=1, rejected=2, deleted=1}");
    assertThat(loads.rows("SELECT id, part FROM people ORDER BY id"))
        .containsExactly("2|10", "3|20", "4|19");
  }

  @Test
  void replacesARangeOfDatesAndRefusesWhatIsOutside() throws Exception {
    loads.sql("CREATE TABLE people (id int PRIMARY KEY, day date, a text)");
    loads.sql("INSERT INTO people VALUES (1, '2026-01-31', 'x'), (2, '2026-02-01', 'x')");
    LoadSpec february =
        range(ID, new LoadRange("day", Optional.of("2026-02-01"), Optional.of("2026-03-01")));
    assertThat(counts(february, "id,day,a\n3,2026-02-28,n\n4,2026-03-01,n\n5,today,n\n"))
        .isEqualTo("{read=3, inserted=1, rejected=2, deleted=1}");
    assertThat(people()).containsExactly("1|2026-01-31|x", "3|2026-02-28|n");
    assertThat(loads.rows("SELECT line, code, message FROM caravan.reject ORDER BY line"))
        .containsExactly(
            "3|OUT_OF_RANGE|'2026-03-01' is not in the range; allowed is 2026-02-01 up to, but not, 2026-03-01.",
            "4|BAD_VALUE|'today' is not taken by column 'day' of type date; expected is yyyy-mm-dd.");
    assertThatThrownBy(() -> loads.load(february, "id,day,a\n"))
        .hasMessageContaining("allow_empty");
  }

  @Test
  void keepsEveryVersionOfARow() throws Exception {
    LoadSpec history = LoadSpec.of(TABLE, ID, LoadMode.SCD2);
    assertThat(counts(history, "id,a\n1,x\n2,y\n")).isEqualTo("{read=2, inserted=2}");
    assertThat(counts(history, "id,a\n1,new\n2,y\n3,z\n"))
        .isEqualTo("{read=3, inserted=1, updated=1, unchanged=1}");
    assertThat(counts(history, "id,a\n1,newer\n")).isEqualTo("{read=1, updated=1}");
    assertThat(
            loads.rows(
                "SELECT id, a, current, valid_to IS NULL FROM people ORDER BY id, valid_from"))
        .containsExactly("1|x|f|f", "1|new|f|f", "1|newer|t|t", "2|y|t|t", "3|z|t|t");
    assertThat(
            loads.rows(
                """
                SELECT count(*) FROM people p WHERE valid_to IS NOT NULL AND NOT EXISTS
                  (SELECT FROM people n WHERE n.id = p.id AND n.valid_from = p.valid_to)"""))
        .as("versions without a gap")
        .containsExactly("0");
  }

  @Test
  void closesTheVersionOfAMissingRowAndOpensANewOneWhenItComesBack() throws Exception {
    LoadSpec history = spec(ID, LoadMode.SCD2, Optional.empty(), OnMissing.SOFT_DELETE);
    counts(history, "id,a\n1,x\n2,y\n");
    assertThat(counts(history, "id,a\n2,y\n")).isEqualTo("{read=1, unchanged=1, deleted=1}");
    assertThat(counts(history, "id,a\n1,x\n2,y\n\n"))
        .isEqualTo("{read=2, inserted=1, unchanged=1}");
    assertThat(loads.rows("SELECT id, a, current FROM people ORDER BY id, valid_from"))
        .containsExactly("1|x|f", "1|x|t", "2|y|t");
  }

  @Test
  void marksMissingRowsAndTakesTheMarkAwayWhenTheyComeBack() throws Exception {
    LoadSpec marking = spec(ID, LoadMode.UPSERT, Optional.empty(), OnMissing.SOFT_DELETE);
    counts(marking, "id,a\n1,x\n2,y\n");
    assertThat(counts(marking, "id,a\n2,y\n")).isEqualTo("{read=1, unchanged=1, deleted=1}");
    assertThat(counts(marking, "id,a\n2,y\n3,z\n"))
        .as("what is marked is not marked again")
        .isEqualTo("{read=2, inserted=1, unchanged=1}");
    String marks = "SELECT id, deleted_at IS NULL FROM people ORDER BY id";
    assertThat(loads.rows(marks)).containsExactly("1|f", "2|t", "3|t");
    assertThat(counts(marking, "id,a\n1,x\n2,y\n3,z\n"))
        .isEqualTo("{read=3, updated=1, unchanged=2}");
    assertThat(loads.rows(marks)).containsExactly("1|t", "2|t", "3|t");
  }

  @Test
  void marksNothingWhenARecordWasRefused() throws Exception {
    LoadSpec marking = spec(ID, LoadMode.UPSERT, Optional.empty(), OnMissing.SOFT_DELETE);
    counts(marking, "id,a\n1,x\n2,y\n");
    LoadResult result = loads.load(marking, "id,a\n1,x,1\n2,y\n");
    assertThat(result.deleted()).isZero();
    assertThat(result.warnings()).anyMatch(warning -> warning.startsWith("MISSING_NOT_MARKED"));
    assertThatThrownBy(() -> loads.load(marking, "id,a\n")).hasMessageContaining("allow_empty");
  }

  @Test
  void refusesAFileThatBringsTheColumnsOfTheLoad() throws Exception {
    LoadSpec history = LoadSpec.of(TABLE, ID, LoadMode.SCD2);
    assertThatThrownBy(() -> loads.load(history, "id,current\n1,x\n"))
        .isInstanceOfSatisfying(
            CaravanException.class,
            e -> assertThat(e.code()).isEqualTo(FailureCode.GENERATED_COLUMN));
    loads.sql("CREATE TABLE people (id text PRIMARY KEY, a text)");
    assertThatThrownBy(() -> loads.load(history, "id,a\n1,x\n"))
        .hasMessageContaining("ADD COLUMN \"valid_from\" timestamptz");
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    assertThatThrownBy(() -> LoadSpec.of(TABLE, List.of(), LoadMode.SCD2))
        .hasMessageContaining("no key columns");
    assertThatThrownBy(() -> LoadSpec.of(TABLE, ID, LoadMode.APPEND))
        .hasMessageContaining("append has no key columns");
    assertThatThrownBy(() -> LoadSpec.of(TABLE, ID, LoadMode.REPLACE_RANGE))
        .hasMessageContaining("range");
    assertThatThrownBy(() -> spec(ID, LoadMode.REPLACE, Optional.empty(), OnMissing.SOFT_DELETE))
        .hasMessageContaining("missing rows");
    assertThatThrownBy(() -> new LoadRange("day", Optional.of("1"), Optional.empty()))
        .hasMessageContaining("one bound");
  }

  @Test
  void ledgerRefusesALoadThatDoesNotBalance() throws Exception {
    loads.load(LoadSpec.upsert(TABLE, ID), "id,a\n1,x\n");
    assertThatThrownBy(() -> loads.sql("UPDATE caravan.load SET rows_filtered = 1"))
        .isInstanceOf(SQLException.class)
        .hasMessageContaining("load_balances");
  }

  @Test
  void fillsAnEmptyTableInEveryModeThatHasAKey() throws Exception {
    for (LoadMode mode : List.of(LoadMode.UPSERT, LoadMode.INSERT_ONLY, LoadMode.REPLACE)) {
      loads.sql("DROP TABLE IF EXISTS people");
      loads.sql("CREATE TABLE people (id int PRIMARY KEY CHECK (id < 9), a text, b text)");
      assertThat(
              counts(LoadSpec.of(TABLE, ID, mode), "id,a,b\n02,x,\n2,y,\n1,%s,\n".formatted(mode)))
          .isEqualTo("{read=3, inserted=2, superseded=1}");
      assertThat(people()).containsExactly("1|" + mode + "|null", "2|y|null");
    }
    loads.sql("DELETE FROM people");
    assertThat(counts(LoadSpec.upsert(TABLE, ID), "id,a,b\n1,x,\n9,y,\n3,z,\n"))
        .as("a row that the empty table refuses")
        .isEqualTo("{read=3, inserted=2, rejected=1}");
  }
}
