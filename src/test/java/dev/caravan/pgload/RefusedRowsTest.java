package dev.caravan.pgload;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.FailureCode;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.TestLoads;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Good rows are not held back by bad ones, whatever it is that the target does not like. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class RefusedRowsTest {

  private final TestLoads loads = new TestLoads();
  private final TableName table = new TableName("public", "t");
  private final LoadSpec upsert = LoadSpec.upsert(table, List.of("id"));

  private String counts(LoadSpec spec, String csv) throws Exception {
    return loads.load(spec, csv).counts().entrySet().stream()
        .filter(count -> count.getValue() > 0)
        .map(Object::toString)
        .collect(Collectors.joining(" "));
  }

  private List<String> refused() {
    return loads.rows("SELECT line, code FROM caravan.reject ORDER BY rejected_at, line");
  }

  private void parents() throws SQLException {
    loads.sql("CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1)");
  }

  private static String lines(int from, int to, IntFunction<String> line) {
    return IntStream.range(from, to).mapToObj(line).collect(Collectors.joining("\n", "", "\n"));
  }

  @Test
  void c1ATreeInAnyOrderLosesOnlyTheBadRow() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t, n int CHECK (n > 0))");
    assertThat(counts(upsert, "id,parent,n\n3,2,1\n2,1,1\n1,,1\n4,1,-1\n"))
        .isEqualTo("read=4 inserted=3 rejected=1");
    assertThat(refused()).containsExactly("5|CONSTRAINT");
    // what hangs on a bad row goes with it, and nothing else
    assertThat(counts(upsert, "id,parent,n\n9,8,1\n8,7,1\n7,99,1\n6,5,1\n5,1,1\n"))
        .isEqualTo("read=5 inserted=2 rejected=3");
  }

  @Test
  void c1ATreeWhoseBadRowOnlyATriggerKnowsLosesOnlyThatRow() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t)");
    trigger(
        "IF NEW.id = 777 THEN RAISE EXCEPTION 'no' USING ERRCODE = 'ABC01'; END IF; RETURN NEW;");
    // each row before its parent, and a leaf that the trigger does not like
    String csv =
        "id,parent\n777,1\n" + lines(0, 700, i -> (700 - i) + "," + (i == 699 ? "" : 699 - i));
    assertThat(counts(upsert, csv)).isEqualTo("read=701 inserted=700 rejected=1");
    assertThat(loads.rows("SELECT line, message FROM caravan.reject"))
        .containsExactly("2|no (SQLSTATE ABC01)");
  }

  @Test
  void c2ConstraintsThatWaitForTheCommitAreAskedBefore() throws Exception {
    parents();
    loads.sql(
        "CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
    assertThat(counts(upsert, "id,p\n1,1\n2,2\n")).isEqualTo("read=2 inserted=1 rejected=1");
    loads.sql(
        """
        CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.id = 4 THEN RAISE EXCEPTION 'late'; END IF; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON t DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION late()""");
    assertThat(counts(upsert, "id,p\n3,1\n4,1\n5,1\n")).isEqualTo("read=3 inserted=2 rejected=1");
    assertThat(loads.rows("SELECT id FROM t ORDER BY id")).containsExactly("1", "3", "5");
  }

  @Test
  void c3MoreThanAHundredRowsMayBeRefused() throws Exception {
    parents();
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p)");
    assertThat(counts(upsert, "id,p\n" + lines(1, 401, i -> i + (i < 102 ? ",2" : ",1"))))
        .isEqualTo("read=400 inserted=299 rejected=101");
  }

  @Test
  void c5AHundredOrphansInManyRowsAreFoundInSeconds() throws Exception {
    parents();
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p)");
    String csv = "id,p\n" + lines(1, 100_001, i -> i + (i % 1000 == 0 ? ",2" : ",1"));
    long start = System.nanoTime();
    assertThat(counts(upsert, csv)).isEqualTo("read=100000 inserted=99900 rejected=100");
    assertThat(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start)).isLessThan(30);
  }

  @Test
  void manyRowsThatATriggerRefusesAreFoundInSeconds() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    trigger(
        "IF NEW.v = 'x' THEN RAISE EXCEPTION 'no' USING ERRCODE = 'P9999'; END IF; RETURN NEW;");
    String csv = "id,v\n" + lines(0, 3_000, i -> i + (i % 3 == 0 ? ",x" : ",y"));
    assertThat(counts(upsert, csv)).isEqualTo("read=3000 inserted=2000 rejected=1000");
    assertThat(counts(upsert, csv.replace(",y", ",z")))
        .isEqualTo("read=3000 updated=2000 rejected=1000");
  }

  @Test
  void aRowThatFitsNoPageAndAKeyThatFitsNoIndexAreRejects() throws Exception {
    loads.sql("CREATE TABLE t (id text PRIMARY KEY, other text UNIQUE)");
    String random =
        loads.rows("SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i").get(0);
    assertThat(counts(upsert, "id,other\na,b\n%s,c\nd,%s\ne,f\n".formatted(random, random)))
        .isEqualTo("read=4 inserted=2 rejected=2");
    assertThat(refused()).containsExactly("3|TOO_LONG", "4|TOO_LONG");
  }

  @ParameterizedTest
  @ValueSource(strings = {"text COLLATE ci", "varchar(20) COLLATE ci", "word", "citext"})
  void ofKeysThatAreEqualForTheColumnTheLaterLineStays(String type) throws Exception {
    loads.sql(
        """
        CREATE COLLATION ci (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
        CREATE DOMAIN word AS text COLLATE ci; CREATE EXTENSION citext""");
    for (LoadMode mode : LoadMode.values()) {
      if (mode == LoadMode.APPEND || mode == LoadMode.REPLACE_RANGE) {
        continue;
      }
      boolean history = mode == LoadMode.SCD2;
      loads.sql("DROP TABLE IF EXISTS t");
      loads.sql(
          "CREATE TABLE t (id %1$s, v %1$s%2$s)"
              .formatted(
                  type,
                  history
                      ? ", valid_from timestamptz, valid_to timestamptz, current boolean DEFAULT true, PRIMARY KEY (id, valid_from)"
                      : ", PRIMARY KEY (id)"));
      LoadSpec spec = LoadSpec.of(table, List.of("id"), mode);
      // in the order of their bytes, as an export by primary key is
      assertThat(counts(spec, "id,v\nA,%1$s\nB,2\na,3\n".formatted(mode)))
          .as("%s", mode)
          .isEqualTo("read=3 inserted=2 superseded=1");
      assertThat(loads.rows("SELECT id, v FROM t ORDER BY id")).containsExactly("a|3", "B|2");
      // what is equal for the column is a change all the same
      String changed = counts(spec, "id,v\na,x\nb,y\n" + mode + ",\n");
      if (mode != LoadMode.INSERT_ONLY) {
        assertThat(changed).as("%s", mode).isEqualTo("read=3 inserted=1 updated=2");
        assertThat(counts(spec, "id,v\na,X\nb,y\n" + mode + ",\n"))
            .as("%s", mode)
            .isEqualTo("read=3 updated=1 unchanged=2");
      }
    }
  }

  @Test
  void aRowThatIsTooWideForAnyTableIsAReject() throws Exception {
    // 1,500 values: short, too long to fit side by side, and long ones that go elsewhere
    IntFunction<String> row =
        length -> "," + String.join(",", Collections.nCopies(1_500, "x".repeat(length)));
    String names = "id," + IntStream.range(0, 1_500).mapToObj(i -> "c" + i).collect(joining(","));
    String csv =
        "%s\n1%s\n2%s\n3%s\n1%s\n"
            .formatted(names, row.apply(2), row.apply(6), row.apply(40), row.apply(1));
    for (LoadMode mode : List.of(LoadMode.UPSERT, LoadMode.APPEND, LoadMode.REPLACE)) {
      loads.sql("DROP TABLE IF EXISTS t");
      LoadSpec spec = LoadSpec.of(table, mode == LoadMode.APPEND ? List.of() : List.of("id"), mode);
      assertThat(counts(spec, csv + mode + row.apply(0) + "\n"))
          .as("%s", mode)
          .isEqualTo(
              mode == LoadMode.APPEND
                  ? "read=5 inserted=3 rejected=2"
                  : "read=5 inserted=2 superseded=1 rejected=2");
      assertThat(counts(spec, csv)) // into the table, which is there now
          .contains("rejected=2");
    }
    assertThat(refused().subList(0, 2)).containsExactly("3|TOO_LONG", "4|TOO_LONG");
  }

  @Test
  void aKeyThatIsTooLongForTheIndexOfANewTableIsAReject() throws Exception {
    String random =
        loads.rows("SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i").get(0);
    String plain = "x".repeat(9_000); // which PostgreSQL makes short
    for (LoadMode mode : List.of(LoadMode.UPSERT, LoadMode.REPLACE, LoadMode.SCD2)) {
      loads.sql("DROP TABLE IF EXISTS t");
      LoadSpec spec = LoadSpec.of(table, List.of("id", "b"), mode);
      String csv =
          "id,b,v\na,1,1\n%1$s,1,2\n%2$s,1,3\nb,1,4\n%2$s,1,%3$s\na,1,6\n"
              .formatted(random, plain, mode);
      assertThat(counts(spec, csv)).isEqualTo("read=6 inserted=3 superseded=2 rejected=1");
      assertThat(loads.rows("SELECT left(id, 1), v FROM t ORDER BY 1"))
          .containsExactly("a|6", "b|4", "x|" + mode);
    }
    assertThat(refused()).containsOnly("3|TOO_LONG");
  }

  @Test
  void aCharacterThatTheDatabaseDoesNotHaveIsAReject() throws Exception {
    TestLoads latin = new TestLoads(TestDatabase.inEncoding("LATIN1"));
    String csv = "id,v\n1,Zoë\n2,10 €\n\u0141,é\n4,\uD83D\uDE00\n5,ß\n";
    for (String v : List.of("a", "b")) { // a new table, and one that is there
      LoadResult result = latin.load(upsert, csv + "6," + v + "\n");
      assertThat(result.rejected()).isEqualTo(3);
      assertThat(latin.rows("SELECT id, v FROM t ORDER BY id"))
          .containsExactly("1|Zoë", "5|ß", "6|" + v);
    }
    assertThat(
            latin.rows(
                "SELECT DISTINCT line, column_name, code, message, raw FROM caravan.reject ORDER BY line"))
        .hasSize(3)
        .first()
        .isEqualTo(
            "3|v|ENCODING|The field has the character U+20AC, which LATIN1, the encoding of the database, does not have.|2,10 U+20AC");
    TestLoads bytes = new TestLoads(TestDatabase.inEncoding("SQL_ASCII"));
    assertThat(bytes.load(upsert, csv).inserted()).isEqualTo(5);
  }

  @Test
  void replaceWithAKeyLosesOnlyTheBadRows() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n > 0))");
    loads.sql("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
    LoadSpec replace = LoadSpec.of(table, List.of("id"), LoadMode.REPLACE);
    assertThat(counts(replace, "id,n\n1,1\n2,-2\n3,4\n5,5\n6,-6\n"))
        .isEqualTo("read=5 inserted=1 updated=1 unchanged=1 rejected=2 deleted=2");
    assertThat(loads.rows("SELECT * FROM t ORDER BY id")).containsExactly("1|1", "3|4", "5|5");
  }

  @Test
  void aDeleteThatIsRefusedFailsTheLoad() throws Exception {
    loads.sql(
        "CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n > 0)); INSERT INTO t VALUES (1, 1)");
    loads.sql("CREATE TABLE child (t int REFERENCES t DEFERRABLE INITIALLY DEFERRED)");
    loads.sql("INSERT INTO child VALUES (1)");
    LoadSpec replace = LoadSpec.of(table, List.of("id"), LoadMode.REPLACE);
    assertThatThrownBy(() -> counts(replace, "id,n\n2,2\n3,3\n"))
        .hasFieldOrPropertyWithValue("code", FailureCode.CONSTRAINT_VIOLATION)
        .hasMessageContaining("child");
  }

  @Test
  void everyKindOfConstraintIsFoundInEveryMode() throws Exception {
    parents();
    for (LoadMode mode : LoadMode.values()) {
      if (mode == LoadMode.REPLACE_RANGE) {
        continue;
      }
      boolean history = mode == LoadMode.SCD2;
      loads.sql("DROP TABLE IF EXISTS t");
      loads.sql(
          """
          CREATE TABLE t (id int, p int REFERENCES p, "line" text CHECK ("line" <> 'bad'),
            u int UNIQUE, d text DEFAULT 'd' NOT NULL, during int4range, EXCLUDE USING gist (during WITH &&)%s)"""
              .formatted(
                  history
                      ? ", valid_from timestamptz, valid_to timestamptz, current boolean DEFAULT true, PRIMARY KEY (id, valid_from)"
                      : ", PRIMARY KEY (id)"));
      LoadSpec spec = LoadSpec.of(table, mode == LoadMode.APPEND ? List.of() : List.of("id"), mode);
      String csv =
          """
          id,p,line,u,d,during
          1,1,a,1,d,"[1,2)"
          2,2,a,2,d,"[2,3)"
          3,1,bad,3,d,"[3,4)"
          4,1,a,1,d,"[4,5)"
          5,1,a,5,,"[5,6)"
          6,1,a,6,d,"[1,9)"
          7,1,a,7,d,"[9,10)"
          """
              .replace(",a,", "," + mode + ",");
      assertThat(counts(spec, csv)).as("%s", mode).isEqualTo("read=7 inserted=2 rejected=5");
      assertThat(loads.rows("SELECT id FROM t ORDER BY id")).containsExactly("1", "7");
    }
  }

  private void trigger(String body) throws SQLException {
    loads.sql(
        """
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$;
        CREATE TRIGGER zap BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()"""
            .formatted(body));
  }
}
