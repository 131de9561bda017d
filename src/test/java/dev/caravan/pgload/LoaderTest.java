package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.LoadResult.Outcome;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvReader;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LoaderTest {

  private final TestDatabase database = TestDatabase.create();
  private final TableName table = new TableName("public", "people");
  private final LoadSpec upsert = LoadSpec.upsert(table, List.of("id"));

  private LoadResult load(LoadSpec spec, String csv) throws Exception {
    return load(spec, csv, "people.csv", false);
  }

  private LoadResult load(LoadSpec spec, String csv, String file, boolean force) throws Exception {
    byte[] bytes = csv.getBytes(StandardCharsets.UTF_8);
    try (Connection connection = database.dataSource().getConnection();
        CsvReader reader = CsvReader.open(new ByteArrayInputStream(bytes), CsvFormat.DEFAULT)) {
      return Loader.load(connection, spec, new Origin(file, csv, force), reader);
    }
  }

  /** The content's hash code stands for its SHA-256. */
  private record Origin(UUID loadId, String file, String sha256, long bytes, boolean force)
      implements LoadOrigin {
    Origin(String file, String csv, boolean force) {
      this(UUID.randomUUID(), file, Integer.toHexString(csv.hashCode()), csv.length(), force);
    }

    @Override
    public String pipeline() {
      return "test/people";
    }
  }

  private void sql(String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private List<String> rows(String sql) {
    return new Sql(database.url(), null, null).rows(sql);
  }

  private static void counts(LoadResult result, String expected) {
    assertThat(result.counts().toString()).isEqualTo("{" + expected + "}");
  }

  private void fails(LoadSpec spec, String csv, FailureCode code, String... parts) {
    assertThatThrownBy(() -> load(spec, csv))
        .isInstanceOfSatisfying(CaravanException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContainingAll(parts);
  }

  @Test
  void createsTheTableAndCountsEveryRow() throws Exception {
    counts(
        load(upsert, "id,name\n1,Ada\n2,\n"),
        "read=2, inserted=2, updated=0, unchanged=0, superseded=0, rejected=0, filtered=0, deleted=0");
    counts(
        load(upsert, "id,name\n1,Ada\n2,Grace\n3,\"a\tb\\c\nd\"\"e\"\n3,x\n,y\n"),
        "read=5, inserted=1, updated=1, unchanged=1, superseded=1, rejected=1, filtered=0, deleted=0");
    assertThat(rows("SELECT * FROM people ORDER BY id")).containsExactly("1|Ada", "2|Grace", "3|x");
    assertThat(rows("SELECT line, column_name, code, raw FROM caravan.reject"))
        .containsExactly("7|id|NULL_KEY|,y");
    assertThat(
            rows(
                "SELECT conname FROM pg_constraint WHERE conrelid = 'people'::regclass AND contype = 'p'"))
        .hasSize(1);
  }

  @Test
  void letsTheLaterLineWinInANewTableOfManyPages() throws Exception {
    StringBuilder csv = new StringBuilder("id,name\n");
    for (int i = 0; i < 20_000; i++) {
      // sizes vary, so that a later row would fit into an earlier page
      csv.append(i % 5_000).append(',').append("x".repeat(i * 37 % 900)).append(i).append('\n');
    }
    counts(
        load(upsert, csv.toString()),
        "read=20000, inserted=5000, updated=0, unchanged=0, superseded=15000, rejected=0, filtered=0, deleted=0");
    assertThat(rows("SELECT count(*) FROM people WHERE ltrim(name, 'x')::int <> 15000 + id::int"))
        .containsExactly("0");
  }

  @Test
  void findsDuplicatesWhateverTheOrderOfTheKeys() throws Exception {
    load(upsert, "id,name\n0,x\n");
    counts(
        load(upsert, "id,name\n1,a\n2,b\n10,c\n10,d\n"),
        "read=4, inserted=3, updated=0, unchanged=0, superseded=1, rejected=0, filtered=0, deleted=0");
    counts(
        load(upsert, "id,name\n1,x\n2,b\n1,a\n"),
        "read=3, inserted=0, updated=0, unchanged=2, superseded=1, rejected=0, filtered=0, deleted=0");
    sql("CREATE TABLE numbers (id int PRIMARY KEY, name text)");
    counts(
        load(LoadSpec.upsert(TableName.parse("numbers"), List.of("id")), "id,name\n1,a\n01,b\n"),
        "read=2, inserted=1, updated=0, unchanged=0, superseded=1, rejected=0, filtered=0, deleted=0");
    assertThat(rows("SELECT * FROM numbers")).containsExactly("1|b");
  }

  @Test
  void loadsAgainWhenTheTableWasDropped() throws Exception {
    load(upsert, "id,name\n1,a\n");
    sql("DROP TABLE people");
    assertThat(load(upsert, "id,name\n1,a\n").outcome()).isEqualTo(Outcome.LOADED);
  }

  @Test
  void keepsEveryByteOfAValue() throws Exception {
    load(upsert, "id,name\n1,\"a\tb\\c\r\nd\"\"e\"\n2,\\.\n3,\\N\n4,\"\"\n5,=1+1\n00123,ß\n");
    assertThat(
            rows(
                "SELECT id, replace(replace(replace(name, E'\\n', '<n>'), E'\\r', '<r>'), E'\\t', '<t>') FROM people ORDER BY id"))
        .containsExactly("00123|ß", "1|a<t>b\\c<r><n>d\"e", "2|\\.", "3|\\N", "4|", "5|=1+1");
  }

  @Test
  void skipsTheSameContentUnderAnyNameAndLoadsItAgainWhenItWasOvertaken() throws Exception {
    String a = "id,name\n1,a\n";
    String b = "id,name\n1,b\n";
    LoadResult first = load(upsert, a);
    LoadResult again = load(upsert, a, "renamed.csv", false);
    assertThat(again.outcome()).isEqualTo(Outcome.SAME_CONTENT);
    assertThat(again.sameAs()).isEqualTo(first.loadId());
    assertThat(load(upsert, a, "people.csv", true).outcome()).isEqualTo(Outcome.LOADED);
    assertThat(load(upsert, b).outcome()).isEqualTo(Outcome.LOADED);
    assertThat(load(upsert, a).outcome()).isEqualTo(Outcome.LOADED);
    assertThat(rows("SELECT name FROM people")).containsExactly("a");
  }

  @Test
  void writesNothingWhenNothingChanged() throws Exception {
    load(upsert, "id,name\n1,a\n2,b\n");
    List<String> before = rows("SELECT ctid, xmin FROM people");
    counts(
        load(upsert, "id,name\n1,a\n2,b\n", "x", true),
        "read=2, inserted=0, updated=0, unchanged=2, superseded=0, rejected=0, filtered=0, deleted=0");
    assertThat(rows("SELECT ctid, xmin FROM people")).isEqualTo(before);
  }

  @Test
  void replacesTheContentInOneTransaction() throws Exception {
    LoadSpec replace =
        new LoadSpec(
            table,
            List.of("id"),
            Map.of(),
            LoadMode.REPLACE,
            Optional.empty(),
            OnMissing.KEEP,
            OnError.REJECT,
            OptionalLong.empty(),
            OptionalDouble.empty(),
            OnDrift.FREEZE,
            false,
            ValueFormats.ISO,
            false);
    load(replace, "id,name\n1,a\n2,b\n3,c\n");
    counts(
        load(replace, "id,name\n1,a\n2,x\n4,d\n"),
        "read=3, inserted=1, updated=1, unchanged=1, superseded=0, rejected=0, filtered=0, deleted=1");
    fails(replace, "id,name\n", FailureCode.EMPTY_FILE, "allow_empty");
    assertThat(rows("SELECT count(*) FROM people")).containsExactly("3");
    LoadSpec withoutKey =
        new LoadSpec(
            table,
            List.of(),
            Map.of(),
            LoadMode.REPLACE,
            Optional.empty(),
            OnMissing.KEEP,
            OnError.REJECT,
            OptionalLong.empty(),
            OptionalDouble.empty(),
            OnDrift.FREEZE,
            true,
            ValueFormats.ISO,
            false);
    counts(
        load(withoutKey, "id,name\n7,a\n8,a\n"),
        "read=2, inserted=2, updated=0, unchanged=0, superseded=0, rejected=0, filtered=0, deleted=3");
    counts(
        load(withoutKey, "id,name\n"),
        "read=0, inserted=0, updated=0, unchanged=0, superseded=0, rejected=0, filtered=0, deleted=2");
  }

  @Test
  void changesNothingWhenABadRowIsToFailTheLoad() throws Exception {
    LoadSpec strict =
        new LoadSpec(
            table,
            List.of("id"),
            Map.of(),
            LoadMode.UPSERT,
            Optional.empty(),
            OnMissing.KEEP,
            OnError.FAIL,
            OptionalLong.empty(),
            OptionalDouble.empty(),
            OnDrift.FREEZE,
            false,
            ValueFormats.ISO,
            false);
    fails(
        strict,
        "id,name\n1,a\n2\n3,c\n",
        FailureCode.ROWS_REJECTED,
        "1 of 3",
        "line 3",
        "COLUMN_COUNT");
    assertThat(rows("SELECT to_regclass('people')")).containsExactly("null");
    assertThat(rows("SELECT line, code, raw FROM caravan.reject"))
        .containsExactly("3|COLUMN_COUNT|2");
    assertThat(rows("SELECT count(*) FROM caravan.load")).containsExactly("0");
  }

  @Test
  void failsOverTheLimits() throws Exception {
    LoadSpec two =
        new LoadSpec(
            table,
            List.of("id"),
            Map.of(),
            LoadMode.UPSERT,
            Optional.empty(),
            OnMissing.KEEP,
            OnError.REJECT,
            OptionalLong.of(2),
            OptionalDouble.of(0.5),
            OnDrift.FREEZE,
            false,
            ValueFormats.ISO,
            false);
    load(two, "id,name\n1,a\n2,b\n3\n4\n");
    fails(
        two, "id,name\n1,a\n2\n3\n4\n5,x\n6,y\n7,z\n", FailureCode.TOO_MANY_REJECTS, "More than 2");
    fails(two, "id,name\n1,a\n3\n4\n", FailureCode.TOO_MANY_REJECTS, "2 of 3", "0.5");
    fails(upsert, "id,name\n3\n4\n", FailureCode.TOO_MANY_REJECTS, "All 2");
  }

  @Test
  void writesRejectsInBatchesWhileTheCopyRuns() throws Exception {
    StringBuilder csv = new StringBuilder("id,name\n");
    for (int i = 0; i < 5_000; i++) {
      csv.append(i).append(i % 2 == 0 ? ",x\n" : "\n");
    }
    counts(
        load(upsert, csv.toString()),
        "read=5000, inserted=2500, updated=0, unchanged=0, superseded=0, rejected=2500, filtered=0, deleted=0");
    assertThat(rows("SELECT count(*), min(line), max(line) FROM caravan.reject"))
        .containsExactly("2500|3|5001");
  }

  @Test
  void findsEveryBadValueOfATypedTableAtOnce() throws Exception {
    sql(
        "CREATE TABLE people (id int PRIMARY KEY, n numeric(6,2), d date, t timestamp, z timestamptz, b boolean, v varchar(3), j jsonb, s text NOT NULL)");
    LoadResult result =
        load(
            upsert,
            """
            id,n,d,t,z,b,v,j,s
            1,1.50,2025-03-04,2025-03-04 10:00:00,2025-03-04T10:00:00Z,true,abc,"{""a"":1}",x
            2147483648,1,,,,,,,x
            3,NaN,,,,,,,x
            4,1e200000,,,,,,,x
            5,"1,5",,,,,,,x
            6,,today,,,,,,x
            7,,03/04/2025,,,,,,x
            8,,10000-01-01,,,,,,x
            9,,,2025-03-04 10:00:00+01,,,,,x
            10,,,,2025-03-04 10:00:00,,,,x
            11,,,,,yes,,,x
            12,,,,,,abc   ,,x
            13,,,,,,abcd,,x
            14,,,,,,,"{""a"":""\\u0000""}",x
            15,,,,,,,,
            16,99999.99,,,,,,,x
            """);
    counts(
        result,
        "read=16, inserted=1, updated=0, unchanged=0, superseded=0, rejected=15, filtered=0, deleted=0");
    assertThat(rows("SELECT line, column_name, code FROM caravan.reject ORDER BY line"))
        .containsExactly(
            "3|id|BAD_VALUE",
            "4|n|BAD_VALUE",
            "5|n|BAD_VALUE",
            "6|n|BAD_VALUE",
            "7|d|BAD_VALUE",
            "8|d|BAD_VALUE",
            "9|d|BAD_VALUE",
            "10|t|BAD_VALUE",
            "11|z|BAD_VALUE",
            "12|b|BAD_VALUE",
            "13|v|TOO_LONG",
            "14|v|TOO_LONG",
            "15|j|BAD_VALUE",
            "16|s|CONSTRAINT",
            "17|n|BAD_VALUE");
    counts(
        load(
            upsert,
            "id,n,d,t,z,b,v,j,s\n01,1.5,2025-03-04,2025-03-04 10:00:00,2025-03-04T11:00:00+01,t,abc,\"{\"\"a\"\": 1}\",x\n"),
        "read=1, inserted=0, updated=0, unchanged=1, superseded=0, rejected=0, filtered=0, deleted=0");
  }

  @Test
  void refusesTheRowsThatAConstraintRefuses() throws Exception {
    sql("CREATE TABLE country (code text PRIMARY KEY); INSERT INTO country VALUES ('DE'), ('AT')");
    sql(
        "CREATE TABLE people (id text PRIMARY KEY, country text REFERENCES country, age int CONSTRAINT grown CHECK (age > 17), mail text UNIQUE)");
    StringBuilder csv = new StringBuilder("id,country,age,mail\n");
    for (int i = 0; i < 100; i++) {
      csv.append(i).append(i == 37 ? ",XX" : ",DE").append(i == 61 ? ",3" : ",20");
      csv.append(",").append(i == 99 ? 98 : i).append("@x\n");
    }
    LoadResult result = load(upsert, csv.toString());
    counts(
        result,
        "read=100, inserted=97, updated=0, unchanged=0, superseded=0, rejected=3, filtered=0, deleted=0");
    assertThat(rows("SELECT line, code, message FROM caravan.reject ORDER BY line"))
        .satisfiesExactly(
            row -> assertThat(row).startsWith("39|CONSTRAINT|").contains("people_country_fkey"),
            row -> assertThat(row).startsWith("63|CONSTRAINT|").contains("grown"),
            row -> assertThat(row).startsWith("101|CONSTRAINT|").contains("people_mail_key"));
  }

  @Test
  void matchesColumnsByNameNotByPosition() throws Exception {
    sql("CREATE TABLE people (\"Id\" text PRIMARY KEY, name text, extra text DEFAULT 'd')");
    load(upsert, "NAME,id\nAda,1\n");
    assertThat(rows("SELECT * FROM people")).containsExactly("1|Ada|d");
  }

  @Test
  void failsWhenFileAndTableDoNotFit() throws Exception {
    fails(upsert, "no,name\n1,a\n", FailureCode.HEADER_MISMATCH, "key column 'id'", "no, name");
    fails(upsert, "id;name\n1;a\n", FailureCode.HEADER_MISMATCH, "';'");
    sql(
        "CREATE TABLE people (id text, name text, \"Name\" text, g text GENERATED ALWAYS AS (id) STORED)");
    fails(upsert, "id,name\n1,a\n", FailureCode.NO_UNIQUE_KEY, "ADD UNIQUE (\"id\")");
    sql(
        """
        CREATE UNIQUE INDEX part ON people (id) WHERE name IS NULL;
        CREATE UNIQUE INDEX low ON people (lower(id));
        CREATE UNIQUE INDEX two ON people (id, name);
        ALTER TABLE people ADD CONSTRAINT late UNIQUE (id) DEFERRABLE""");
    fails(
        upsert,
        "id,name\n1,a\n",
        FailureCode.NO_UNIQUE_KEY,
        "'part' has only the rows with (name IS NULL); 'low' has an expression, lower(id); 'two' is on (id, name); 'late' is deferrable. Add one:");
    sql("ALTER TABLE people ADD UNIQUE (id)");
    fails(upsert, "id,other\n1,a\n", FailureCode.UNKNOWN_COLUMN, "'other'", "id, name, Name");
    fails(upsert, "id,NAME\n1,a\n", FailureCode.AMBIGUOUS_COLUMN, "'name' and 'Name'");
    fails(upsert, "id,g\n1,a\n", FailureCode.GENERATED_COLUMN, "'g'");
    sql("ALTER TABLE people ADD must text NOT NULL");
    fails(upsert, "id,name\n1,a\n", FailureCode.MISSING_COLUMN, "'must'");
  }

  @Test
  void failsOnDriftUnlessItIsAccepted() throws Exception {
    load(upsert, "id,name,age\n1,a,5\n");
    fails(upsert, "id,name\n1,a\n", FailureCode.MISSING_COLUMN, "'age'", "last load");
    sql("ALTER TABLE people ALTER age TYPE int USING age::int");
    fails(
        upsert, "id,name,age\n1,a,6\n", FailureCode.SCHEMA_DRIFT, "'age' was text", "integer now");
    LoadSpec accept =
        new LoadSpec(
            table,
            List.of("id"),
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
    load(accept, "id,name\n1,b\n");
    assertThat(rows("SELECT * FROM people")).containsExactly("1|b|5");
  }

  @Test
  void loadsOnlyIntoOrdinaryTablesOfTheUser() throws Exception {
    sql("CREATE TABLE base (id text PRIMARY KEY, p int) ");
    sql("CREATE VIEW people AS SELECT * FROM base");
    fails(upsert, "id\n1\n", FailureCode.TARGET_NOT_ALLOWED, "view");
    for (String name :
        List.of("pg_catalog.pg_authid", "information_schema.sql_parts", "caravan.load")) {
      LoadSpec spec = LoadSpec.upsert(TableName.parse(name), List.of("id"));
      fails(spec, "id\n1\n", FailureCode.TARGET_NOT_ALLOWED, name);
    }
    sql("CREATE TABLE parts (id text, p int, PRIMARY KEY (id, p)) PARTITION BY LIST (p)");
    sql("CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1)");
    fails(
        LoadSpec.upsert(TableName.parse("part1"), List.of("id")),
        "id\n1\n",
        FailureCode.TARGET_NOT_ALLOWED,
        "partition");
  }

  @Test
  void quotesWhateverItIsGiven() throws Exception {
    String evil = "x\"; DROP TABLE victim; --";
    sql("CREATE TABLE victim (id text)");
    LoadSpec spec = LoadSpec.upsert(new TableName("s\"; --", evil), List.of("order"));
    load(spec, "order,select,\"a\"\"; DROP TABLE victim; --\"\n1,2,3\n");
    assertThat(rows("SELECT to_regclass('victim')")).containsExactly("victim");
    assertThat(rows("SELECT relname FROM pg_class WHERE relname LIKE 'x\"%'")).contains(evil);
  }

  @Test
  void leavesNoStagingTableBehind() throws Exception {
    load(upsert, "id,name\n1,a\n");
    assertThatThrownBy(() -> load(upsert, "id,name\n1,\"a\n")).isInstanceOf(CaravanException.class);
    assertThat(rows("SELECT relname FROM pg_class WHERE relname LIKE '%staging%'")).isEmpty();
  }

  @Test
  void isNotLoadedTwiceUnderOneId() throws Exception {
    String csv = "id,name\n1,a\n";
    Origin origin = new Origin("people.csv", csv, true);
    for (int i = 0; i < 2; i++) {
      try (Connection connection = database.dataSource().getConnection();
          CsvReader reader =
              CsvReader.open(
                  new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)),
                  CsvFormat.DEFAULT)) {
        if (i == 0) {
          Loader.load(connection, upsert, origin, reader);
        } else {
          assertThatThrownBy(() -> Loader.load(connection, upsert, origin, reader))
              .hasMessageContaining("load_pkey");
        }
      }
    }
  }

  @Test
  void leavesTheTargetAloneWhenTheSourceBreaks() throws Exception {
    load(upsert, "id,name\n1,a\n");
    try (Connection connection = database.dataSource().getConnection();
        CsvReader reader =
            CsvReader.open(
                new java.io.SequenceInputStream(
                    new ByteArrayInputStream(
                        ("id,name\n" + "2,b\n".repeat(2_000)).getBytes(StandardCharsets.UTF_8)),
                    new BrokenStream()),
                CsvFormat.DEFAULT)) {
      assertThatThrownBy(() -> Loader.load(connection, upsert, new Origin("x", "y", false), reader))
          .isInstanceOf(IOException.class);
    }
    assertThat(rows("SELECT * FROM people")).containsExactly("1|a");
  }

  private static final class BrokenStream extends java.io.InputStream {
    @Override
    public int read() throws IOException {
      throw new IOException("cut");
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      return read();
    }
  }

  @Test
  void findsEqualNumbersThatAreWrittenInTwoWays() throws Exception {
    sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
    assertThat(load(upsert, "id,name\n1,a\n2,b\n02,c\n3,d\n").superseded()).isEqualTo(1);
    assertThat(load(upsert, "id,name\n1,a\n2,e\n10,f\n").inserted()).isEqualTo(1);
    assertThat(rows("SELECT name FROM people ORDER BY id")).containsExactly("a", "e", "d", "f");
  }

  @Test
  void bringsTheTablesOfAnEarlierVersionUpToDate() throws Exception {
    load(upsert, "id,name\n1,a\n");
    sql("ALTER TABLE caravan.load DROP COLUMN rows_filtered, DROP COLUMN drift");
    load(upsert, "id,name\n2,b\n");
    assertThat(rows("SELECT rows_filtered, drift FROM caravan.load ORDER BY seq"))
        .containsExactly("0|[]", "0|[]");
    assertThatThrownBy(() -> sql("UPDATE caravan.load SET rows_filtered = 1"))
        .hasMessageContaining("load_balances");
  }
}
