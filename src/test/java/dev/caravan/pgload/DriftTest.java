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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DriftTest {

  private final TestLoads loads = new TestLoads();

  private static LoadSpec on(OnDrift policy) {
    return new LoadSpec(
        new TableName("public", "people"),
        List.of("id"),
        Map.of(),
        LoadMode.UPSERT,
        Optional.empty(),
        OnMissing.KEEP,
        OnError.REJECT,
        OptionalLong.empty(),
        OptionalDouble.empty(),
        policy,
        false,
        ValueFormats.ISO,
        false);
  }

  private List<String> people() {
    return loads.rows("SELECT * FROM people ORDER BY id");
  }

  private List<String> recorded() {
    return loads.rows(
        """
        SELECT d ->> 'change', d ->> 'column', d ->> 'before', d ->> 'after'
        FROM caravan.load, jsonb_array_elements(drift) WITH ORDINALITY AS x(d, n)
        ORDER BY seq, n""");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DROP COLUMN a|column 'a' was text when the load began and is not there now",
        "ALTER COLUMN a TYPE date USING NULL|column 'a' was text when the load began and is date now",
        "ALTER COLUMN a TYPE varchar(1)|is character varying(1) now",
        "RENAME COLUMN id TO no|column 'id' was text when the load began and is not there now",
        "RENAME TO others|column 'id' was text when the load began and is not there now"
      })
  void whatChangesWhileTheSourceIsReadIsDriftUnderEveryPolicy(String change, String message)
      throws Exception {
    for (OnDrift policy : List.of(OnDrift.FREEZE, OnDrift.EVOLVE)) {
      loads.sql(
          "DROP TABLE IF EXISTS people, others; CREATE TABLE people (id text PRIMARY KEY, a text)");
      assertThatThrownBy(
              () -> loads.load(on(policy), "id,a\n1,x\n", "ALTER TABLE people " + change))
          .hasFieldOrPropertyWithValue("code", FailureCode.SCHEMA_DRIFT)
          .hasMessageContaining(message);
    }
    // a column that the load does not fill may come or go
    loads.sql(
        "DROP TABLE IF EXISTS people, others; CREATE TABLE people (id text PRIMARY KEY, a text)");
    assertThat(loads.load(on(OnDrift.FREEZE), "id\n1\n", "ALTER TABLE people DROP a").inserted())
        .isEqualTo(1);
  }

  @Test
  void evolveAddsTheColumnAndRecordsIt() throws Exception {
    loads.load(on(OnDrift.EVOLVE), "id,a\n1,x\n");
    LoadResult result = loads.load(on(OnDrift.EVOLVE), "id,\"new \"\"one\"\"\",a\n1,n,x\n2,,y\n");
    assertThat(result.updated()).isEqualTo(1);
    assertThat(result.warnings()).anyMatch(w -> w.startsWith("SCHEMA_DRIFT: column 'new"));
    assertThat(people()).containsExactly("1|x|n", "2|y|null");
    assertThat(recorded()).containsExactly("added|new \"one\"|null|text");
  }

  @Test
  void evolveKeepsTheValuesOfAColumnThatIsGoneAndTakesATypeThatChanged() throws Exception {
    loads.load(on(OnDrift.EVOLVE), "id,a,b\n1,x,5\n");
    loads.sql("ALTER TABLE people ALTER b TYPE int USING b::int");
    loads.load(on(OnDrift.EVOLVE), "id,b\n1,6\n");
    assertThat(people()).containsExactly("1|x|6");
    assertThat(recorded()).containsExactly("removed|a|text|null", "retyped|b|text|integer");
  }

  @Test
  void discardValueLoadsTheRowsWithoutTheNewColumn() throws Exception {
    loads.load(on(OnDrift.DISCARD_VALUE), "id,a\n1,x\n");
    loads.load(on(OnDrift.DISCARD_VALUE), "new,id,a\nn,1,z\n,2,y\n");
    assertThat(people()).containsExactly("1|z", "2|y");
    assertThat(recorded()).containsExactly("discarded|new|null|null");
  }

  @Test
  void discardRowLeavesOutAndCountsTheRowsThatHaveAValueInTheNewColumn() throws Exception {
    loads.load(on(OnDrift.DISCARD_ROW), "id,a\n1,x\n");
    LoadResult result = loads.load(on(OnDrift.DISCARD_ROW), "id,new,a\n1,n,z\n2,,y\n");
    assertThat(result.filtered()).isEqualTo(1);
    assertThat(result.inserted()).isEqualTo(1);
    assertThat(people()).containsExactly("1|x", "2|y");
  }

  @Test
  void rejectsOfALoadWithADiscardedColumnNameTheRightOne() throws Exception {
    loads.sql("CREATE TABLE people (id int PRIMARY KEY, a int)");
    loads.load(on(OnDrift.DISCARD_VALUE), "new,id,a\nn,1,q\n,2,3\n");
    assertThat(loads.rows("SELECT line, column_name, code FROM caravan.reject"))
        .containsExactly("2|a|BAD_VALUE");
    assertThat(people()).containsExactly("2|3");
  }

  @Test
  void freezeFails() throws Exception {
    loads.load(on(OnDrift.FREEZE), "id,a\n1,x\n");
    assertThatThrownBy(() -> loads.load(on(OnDrift.FREEZE), "id,a,new\n1,z,n\n"))
        .isInstanceOfSatisfying(
            CaravanException.class,
            e -> assertThat(e.code()).isEqualTo(FailureCode.UNKNOWN_COLUMN));
    assertThat(people()).containsExactly("1|x");
  }
}
