package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.FailureCode;
import dev.caravan.testing.TestLoads;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a load says it did is what is in the table, whatever the table does with the rows. */
class TargetTriggersTest {

  private static final List<String> ID = List.of("id");
  private static final TableName TABLE = new TableName("public", "t");

  private final TestLoads loads = new TestLoads();

  private void trigger(String when, String body) throws SQLException {
    loads.sql(
        """
        CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$;
        CREATE OR REPLACE TRIGGER f %s ON t FOR EACH ROW EXECUTE FUNCTION f()"""
            .formatted(body, when));
  }

  @Test
  void t1ARowThatATriggerLeavesOutIsNotUnchanged() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    trigger("BEFORE INSERT OR UPDATE", "IF NEW.v = 'skip' THEN RETURN NULL; END IF; RETURN NEW;");
    LoadResult first = loads.load(LoadSpec.upsert(TABLE, ID), "id,v\n1,a\n2,skip\n3,c\n");
    assertThat(first.inserted()).isEqualTo(2);
    assertThat(first.unchanged()).isZero();
    assertThat(first.filtered()).isEqualTo(1);
    assertThat(first.warnings()).singleElement().asString().startsWith("TRIGGER_SKIPPED: 1 row");
    LoadResult second = loads.load(LoadSpec.upsert(TABLE, ID), "id,v\n1,a\n2,skip\n3,skip\n4,d\n");
    assertThat(second.counts().toString())
        .contains("inserted=1", "updated=0", "unchanged=1", "filtered=2");
  }

  @Test
  void t1ATriggerThatPutsRowsElsewhereIsTold() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE elsewhere (LIKE t)");
    trigger("BEFORE INSERT", "INSERT INTO elsewhere VALUES (NEW.*); RETURN NULL;");
    for (LoadMode mode : List.of(LoadMode.UPSERT, LoadMode.APPEND, LoadMode.INSERT_ONLY)) {
      List<String> key = mode == LoadMode.APPEND ? List.of() : ID;
      LoadResult result =
          loads.load(LoadSpec.of(TABLE, key, mode), "id,v\n1,%1$s\n2,%1$s\n".formatted(mode));
      assertThat(result.filtered()).as("%s", mode).isEqualTo(2);
      assertThat(result.warnings()).singleElement().asString().contains("TRIGGER_SKIPPED: 2 rows");
    }
  }

  @Test
  void aTableWithARuleIsRefusedByName() throws Exception {
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    loads.sql("CREATE RULE quiet AS ON INSERT TO t DO INSTEAD NOTHING");
    assertThatThrownBy(() -> loads.load(LoadSpec.upsert(TABLE, ID), "id,v\n1,a\n"))
        .hasFieldOrPropertyWithValue("code", FailureCode.TARGET_NOT_ALLOWED)
        .hasMessageContainingAll("public.t", "'quiet'");
  }

  /** Tables that do something with rows, by a name that tells what. */
  private enum Kind {
    PLAIN,
    SKIPS,
    CHANGES,
    REFUSES,
    PARTITIONED,
    ROW_SECURITY,
    INHERITED
  }

  private void create(Kind kind, boolean history, boolean key) throws SQLException {
    loads.sql("DROP TABLE IF EXISTS t CASCADE");
    String columns =
        "id int%s, v text%s"
            .formatted(
                key ? " NOT NULL" : "",
                history
                    ? ", valid_from timestamptz NOT NULL DEFAULT now(), valid_to timestamptz, current boolean NOT NULL DEFAULT true"
                    : "");
    String unique = key ? ", PRIMARY KEY (id" + (history ? ", valid_from)" : ")") : "";
    loads.sql(
        "CREATE TABLE t (%s%s)%s"
            .formatted(
                columns, unique, kind == Kind.PARTITIONED ? " PARTITION BY RANGE (id)" : ""));
    switch (kind) {
      case SKIPS ->
          trigger(
              "BEFORE INSERT OR UPDATE", "IF NEW.v = 'c' THEN RETURN NULL; END IF; RETURN NEW;");
      case CHANGES -> trigger("BEFORE INSERT OR UPDATE", "NEW.v := upper(NEW.v); RETURN NEW;");
      case REFUSES ->
          trigger(
              "BEFORE INSERT OR UPDATE",
              "IF NEW.v = 'c' THEN RAISE EXCEPTION 'no' USING ERRCODE = '57000'; END IF; RETURN NEW;");
      case PARTITIONED -> {
        loads.sql("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (4)");
        loads.sql(
            "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (4) TO (7)"); // no place from 7 on
        loads.sql(
            """
            CREATE OR REPLACE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN IF NEW.v = 'c' THEN RETURN NULL; END IF; RETURN NEW; END $$;
            CREATE TRIGGER g BEFORE INSERT ON t2 FOR EACH ROW EXECUTE FUNCTION g()""");
      }
      case ROW_SECURITY ->
          loads.sql(
              """
              ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
              CREATE POLICY seen ON t FOR SELECT USING (true);
              CREATE POLICY added ON t FOR INSERT WITH CHECK (v <> 'c');
              CREATE POLICY gone ON t FOR DELETE USING (true);
              CREATE POLICY changed ON t FOR UPDATE USING (v <> 'd') WITH CHECK (v <> 'c')""");
      case INHERITED -> loads.sql("CREATE TABLE child () INHERITS (t)");
      case PLAIN -> {}
    }
  }

  private Map<String, String> content(boolean history) {
    Map<String, String> content = new TreeMap<>();
    for (String row :
        loads.rows("SELECT id, v FROM t" + (history ? " WHERE current" : "") + " ORDER BY id")) {
      String[] parts = row.split("\\|", -1);
      content.merge(parts[0], parts[1], (a, b) -> a + "," + b);
    }
    return content;
  }

  /**
   * Loads of random rows: the counts balance, and they are the difference between the table before
   * and after, looked at by hand.
   */
  @ParameterizedTest
  @EnumSource(
      value = LoadMode.class,
      names = {"UPSERT", "APPEND", "INSERT_ONLY", "REPLACE", "SCD2"})
  void theCountsAreWhatHappened(LoadMode mode) throws Exception {
    boolean history = mode == LoadMode.SCD2;
    boolean keyed = mode != LoadMode.APPEND;
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (Kind kind : Kind.values()) {
      create(kind, history, keyed);
      for (int round = 0; round < 3; round++) {
        String as = "%s %s round %d seed %d".formatted(mode, kind, round, seed);
        StringBuilder csv = new StringBuilder("id,v\n");
        for (int id = 1; id <= 8; id++) {
          if (random.nextInt(4) > 0) {
            csv.append(id).append(',').append("abcd".charAt(random.nextInt(4))).append('\n');
          }
        }
        csv.append("9,a\n9,b\n".substring(0, keyed ? 8 : 4));
        Map<String, String> before = content(history);
        long rowsBefore = Long.parseLong(loads.rows("SELECT count(*) FROM t").get(0));
        LoadResult result = null;
        try {
          result = loads.load(LoadSpec.of(TABLE, keyed ? ID : List.of(), mode), csv.toString());
        } catch (dev.caravan.failure.CaravanException e) {
          assertThat(e.code())
              .as(as)
              .isIn(FailureCode.TOO_MANY_REJECTS, FailureCode.CONSTRAINT_VIOLATION);
          assertThat(content(history)).as(as).isEqualTo(before);
          continue;
        }
        if (result.outcome() == LoadResult.Outcome.SAME_CONTENT) {
          continue;
        }
        Map<String, String> after = content(history);
        long rowsAfter = Long.parseLong(loads.rows("SELECT count(*) FROM t").get(0));
        assertThat(
                result.inserted()
                    + result.updated()
                    + result.unchanged()
                    + result.superseded()
                    + result.rejected()
                    + result.filtered())
            .as(as)
            .isEqualTo(result.read());
        assertThat(rowsAfter - rowsBefore)
            .as(as)
            .isEqualTo(result.inserted() - result.deleted() + (history ? result.updated() : 0));
        if (keyed) {
          long fresh = after.keySet().stream().filter(k -> !before.containsKey(k)).count();
          assertThat(result.inserted()).as(as + csv + before + after).isEqualTo(fresh);
          long changed =
              after.keySet().stream()
                  .filter(k -> before.containsKey(k) && !before.get(k).equals(after.get(k)))
                  .count();
          if (kind == Kind.CHANGES) { // the table's value is never the file's
            assertThat(result.updated()).as(as).isGreaterThanOrEqualTo(changed);
          } else {
            assertThat(result.updated()).as(as + csv + before + after).isEqualTo(changed);
            assertThat(result.unchanged())
                .as(as + csv + before + after)
                .isEqualTo(mode == LoadMode.INSERT_ONLY ? 0 : same(csv.toString(), before));
          }
        }
      }
    }
  }

  /** Records, the last of each key, that the table had before as they are. */
  private static long same(String csv, Map<String, String> before) {
    Map<String, String> last = new TreeMap<>();
    csv.lines().skip(1).map(line -> line.split(",", -1)).forEach(f -> last.put(f[0], f[1]));
    return last.entrySet().stream()
        .filter(e -> e.getValue().equals(before.get(e.getKey())))
        .count();
  }
}
