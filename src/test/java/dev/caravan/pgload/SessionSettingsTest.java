package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.testing.TestLoads;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Defaults of the role or the database do not decide what a load does (report D1). */
class SessionSettingsTest {

  private final TestLoads loads = new TestLoads();
  private final LoadSpec upsert = LoadSpec.upsert(new TableName("public", "t"), List.of("id"));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "statement_timeout = '5ms'",
        "lock_timeout = '1ms'",
        "idle_in_transaction_session_timeout = '1ms'",
        "transaction_timeout = '40ms'",
        "search_path = ''",
        "search_path = 'pg_catalog'",
        "DateStyle = 'SQL, DMY'",
        "TimeZone = 'Pacific/Kiritimati'",
        "IntervalStyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "extra_float_digits = -15",
        "standard_conforming_strings = off",
        "quote_all_identifiers = on",
        "array_nulls = off",
        "transform_null_equals = on",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_isolation = 'repeatable read'",
        "default_transaction_deferrable = on",
        "synchronous_commit = off",
        "row_security = off",
        "enable_indexscan = off"
      })
  void d1ALoadDoesTheSameUnderEverySetting(String setting) throws Exception {
    loads.sql("CREATE TYPE mood AS ENUM ('glad', 'sad')");
    loads.sql(
        """
        CREATE TABLE t (id int PRIMARY KEY, d date, z timestamptz, b bytea, f float8, i interval,
          m mood, s text, a int[] CHECK (a IS NULL OR a[1] IS NOT NULL))""");
    loads.sql(
        """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_sleep(0.045); RETURN NULL; END $$;
        CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON t EXECUTE FUNCTION slow()""");
    String csv =
        """
        id,d,z,b,f,i,m,s
        1,2026-03-04,2026-03-04 05:06:07+00,\\x00ff,0.1234567890123456,1 day,glad,a\\b'c
        2,2026-12-31,2026-12-31 23:59:59Z,\\x5c,1e-300,1 day,sad,
        """;
    loads.load(upsert, csv);
    String database = loads.rows("SELECT current_database()").get(0);
    loads.sql("ALTER DATABASE %s SET %s".formatted(database, setting));
    LoadResult again = loads.load(upsert, csv + "3,2026-04-05,,,,,glad,\n");
    assertThat(again.counts().toString())
        .as(setting)
        .contains("inserted=1", "updated=0", "unchanged=2", "rejected=0");
    assertThat(again.warnings()).isEmpty();
    LoadResult changed = loads.load(upsert, csv.replace("2026-03-04,", "2026-04-03,"));
    assertThat(changed.updated()).isEqualTo(1);
    assertThat(loads.rows("SELECT to_char(d, 'YYYY-MM-DD') FROM t WHERE id = 1"))
        .containsExactly("2026-04-03");
  }

  @Test
  void d1ANewTableIsTheSameToo() throws Exception {
    String database = loads.rows("SELECT current_database()").get(0);
    loads.sql("ALTER DATABASE %s SET search_path = ''".formatted(database));
    loads.sql(
        "ALTER DATABASE %s SET default_transaction_isolation = serializable".formatted(database));
    assertThat(loads.load(upsert, "id,v\n1,a\n").inserted()).isEqualTo(1);
    assertThat(loads.load(upsert, "id,v\n1,b\n").updated()).isEqualTo(1);
  }

  /** They decide how a value is read, not only how it is written. */
  @Test
  void valuesAreReadTheSameUnderEverySetting() throws Exception {
    String database = loads.rows("SELECT current_database()").get(0);
    loads.sql("ALTER DATABASE %s SET IntervalStyle = 'sql_standard'".formatted(database));
    loads.sql("ALTER DATABASE %s SET xmloption = 'document'".formatted(database));
    loads.sql("CREATE TABLE t (id int PRIMARY KEY, i interval, x xml)");
    assertThat(loads.load(upsert, "id,i,x\n1,-1 day 02:00:00,a<b/>\n").inserted()).isEqualTo(1);
    assertThat(loads.rows("SELECT extract(epoch FROM i)::int, x FROM t"))
        .containsExactly(-22 * 3600 + "|a<b/>");
  }
}
