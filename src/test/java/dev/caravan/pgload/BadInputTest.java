package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caravan.failure.CaravanException;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvReader;
import dev.caravan.testing.TestDatabase;
import java.io.ByteArrayInputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bad inputs of the reliability list, by their numbers: each file goes through the scanner and
 * the load into PostgreSQL twice, and gives the same code both times.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {

  private static final CsvFormat COMMA = CsvFormat.DEFAULT;
  private static final CsvFormat SEMICOLON = COMMA.withDelimiter(';');
  private static final CsvFormat LATIN =
      COMMA.withCharset(StandardCharsets.ISO_8859_1).withDelimiter(';');

  private Connection connection;

  /**
   * One file.
   *
   * @param id number in the list, and a letter for variants
   * @param ddl what is in the database before; the target is table t with key id
   * @param expected {@code FAILURE_CODE}, or {@code loaded ids; rejects as line:CODE; warnings}
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Case(String id, byte[] bytes, CsvFormat format, String ddl, String expected) {
    @Override
    public String toString() {
      return id + " gives " + expected;
    }
  }

  private static Case file(String id, String csv, String expected) {
    return file(id, csv, COMMA, "", expected);
  }

  private static Case file(String id, String csv, CsvFormat format, String ddl, String expected) {
    return new Case(id, csv.getBytes(format.charset()), format, ddl, expected);
  }

  private static Case bytes(String id, String hex, String expected) {
    byte[] middle = java.util.HexFormat.of().parseHex(hex);
    byte[] before = "id,a\n1,".getBytes(StandardCharsets.US_ASCII);
    byte[] after = "\n2,b\n".getBytes(StandardCharsets.US_ASCII);
    byte[] all = new byte[before.length + middle.length + after.length];
    System.arraycopy(before, 0, all, 0, before.length);
    System.arraycopy(middle, 0, all, before.length, middle.length);
    System.arraycopy(after, 0, all, before.length + middle.length, after.length);
    return new Case(id, all, COMMA, "", expected);
  }

  static Stream<Case> cases() {
    return Stream.of(structure(), headers(), encodings(), targets()).flatMap(s -> s);
  }

  private static Stream<Case> structure() {
    String big = "x".repeat((1 << 20) + 1);
    return Stream.of(
        file("B1", "", "EMPTY_FILE"),
        file("B2", "id,a\n", "; ; NO_RECORDS"),
        file("B3", "id,a", "; ; NO_RECORDS NO_FINAL_NEWLINE"),
        file("B4", "id\n1\n\\.\n2\n", "1 2 \\.; ; "),
        file("B6", "id,a\n1,\"x\n" + "2,y\n".repeat(1000), "UNTERMINATED_QUOTE"),
        file("B7", "id,a\n1,x\"y\"z\n2,b\n", "2; 2:STRAY_QUOTE; "),
        file("B9", "id,a\n1,x,y\n2,b\n", "2; 2:COLUMN_COUNT; "),
        file("B10", "id,a\n1\n2,b\n", "2; 2:COLUMN_COUNT; "),
        file("B11a", "id,a\n1,x,\n2,b\n", "2; 2:COLUMN_COUNT; "),
        file("B11b", "id,a,\n1,x,\n2,b,\n", "1 2; ; "),
        file("B13", "id,a\n  \n2,b\n", "2; 2:BLANK_LINE; "),
        file("B14", "id,a\n1,x\n2,hel", "1 2; ; NO_FINAL_NEWLINE"),
        file("B15", "id,a\r\n1,x\n2,b\r\n", "1 2; ; "),
        file("B16", "id,a\r1,x\r2,b\r", "LINE_ENDING"),
        file("B18", "id,a\n1," + big + "\n2,b\n", "2; 2:FIELD_TOO_LARGE; "),
        file("B19", "id,a\n1," + "x".repeat(17 << 20), "ROW_TOO_LARGE"),
        file("B20", "id" + ",c".repeat(1600) + "\n", "TOO_MANY_COLUMNS"),
        file("B22", "id;a\n1;x\n", "HEADER_MISMATCH"),
        file("B23a", "id\ta\n1\tx\n", COMMA.withDelimiter('\t'), "", "1; ; "),
        file("B23b", "id|a\n1|x\n", COMMA.withDelimiter('|'), "", "1; ; "),
        file("B23c", "id\u0001a\n1\u0001x\n", COMMA.withDelimiter('\u0001'), "", "1; ; "),
        file("B24", "id,a\n1,x\n1,x\n", "1; ; "),
        file("B25", "id,a\n1,x\n1,y\n", "1; ; "),
        file("B26a", "id,a\n,x\n2,b\n", "2; 2:NULL_KEY; "),
        file("B26b", "id,a\n\"\",x\n2,b\n", "2; 2:NULL_KEY; "),
        file("B28", "id,a\nx,1\nX,2\nx ,3\n\u00e9,4\ne\u0301,5\n", "X e\u0301 x x  \u00e9; ; "),
        file("B30", "id,a\nNULL,1\n\\N,2\nN/A,3\n-,4\n", "- N/A NULL \\N; ; "),
        file("B31", "id,a\n=HYPERLINK(x),1\n+1,2\n-1,3\n@x,4\n", "+1 -1 =HYPERLINK(x) @x; ; "),
        file("B32a", "# generated\nid,a\n1,x\n", "HEADER_MISMATCH"),
        file("B32b", "# generated\nid,a\n1,x\n", COMMA.withSkipLines(1), "", "1; ; "),
        file("B33a", "id;a\n1;x\nTRL;00012\n", withTrailer(), "", "TRAILER_COUNT"),
        file("B33b", "id;a\n1;x\nTRL;00001\n", withTrailer(), "", "1; ; "),
        file("B33c", "id;a\n1;x\n", withTrailer(), "", "SOURCE_INCOMPLETE"));
  }

  private static CsvFormat withTrailer() {
    return SEMICOLON.withTrailer(Optional.of("TRL"));
  }

  private static Stream<Case> headers() {
    return Stream.of(
        file("B35", "a,id\nx,1\n", COMMA, "CREATE TABLE t (id text PRIMARY KEY, a text)", "1; ; "),
        file("B36", "\ufeffid,a\n1,x\n", "1; ; "),
        file("B38a", "id,a,a\n", "DUPLICATE_HEADER"),
        file("B38b", "id,a, a\n", "DUPLICATE_HEADER"),
        file("B38c", "id,a,A\n", "DUPLICATE_HEADER"),
        file("B39", "id,,a\n1,2,3\n", "EMPTY_HEADER"),
        file("B40", "id," + "n".repeat(64) + "\n", "NAME_TOO_LONG"),
        file("B42", "id,\"x\"\"; DROP TABLE keep; --\"\n1,2\n", "1; ; "),
        file("B44", "id,select,user,order,table\n1,2,3,4,5\n", "1; ; "),
        file("B45a", "ID,A\n1,x\n", COMMA, "CREATE TABLE t (id text PRIMARY KEY, a text)", "1; ; "),
        file(
            "B45b",
            "id,NAME\n1,x\n",
            COMMA,
            "CREATE TABLE t (id text PRIMARY KEY, name text, \"Name\" text)",
            "AMBIGUOUS_COLUMN"),
        file("B47a", "id,\"a\nb\"\n1,2\n", "BAD_NAME"),
        file("B47b", "id,\"a\tb\"\n1,2\n", "BAD_NAME"),
        file("B47c", "id,a\0b\n1,2\n", "BAD_NAME"),
        file(
            "B48",
            "id,${jndi:ldap://127.0.0.1/x},{{secret}},${header.x},#{x}\n1,2,3,4,5\n",
            "1; ; "));
  }

  private static Stream<Case> encodings() {
    CsvFormat cp1252 = LATIN.withCharset(Charset.forName("windows-1252"));
    return Stream.of(
        bytes("B57", "e9", "2; 2:ENCODING; "),
        new Case(
            "B57b",
            new byte[] {'i', 'd', '\n', (byte) 0x81, '\n', 'x', '\n'},
            cp1252,
            "",
            "x; 2:ENCODING; "),
        file(
            "B58", "id;a\n\u00e4\u00f6\u00fc\u00df;x\n", LATIN, "", "\u00e4\u00f6\u00fc\u00df; ; "),
        bytes("B59", "00", "2; 2:NUL_BYTE; "),
        bytes("B60a", "c0af", "2; 2:ENCODING; "),
        bytes("B60b", "eda080edb080", "2; 2:ENCODING; "),
        bytes("B60c", "80", "2; 2:ENCODING; "),
        file("B82", "id,a\n00123,x\n", "00123; ; "));
  }

  private static Stream<Case> targets() {
    String trigger =
        """
        CREATE TABLE t (id text PRIMARY KEY, a text);
        CREATE FUNCTION no_x() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN IF NEW.a = 'x' THEN RAISE EXCEPTION 'x is not wanted'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER no_x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no_x()""";
    String foreignKey =
        "CREATE TABLE ref (a text PRIMARY KEY); INSERT INTO ref VALUES ('b');"
            + "CREATE TABLE t (id text PRIMARY KEY, a text REFERENCES ref)";
    return Stream.of(
        file("B50a", "id\n1\n", COMMA, "CREATE VIEW t AS SELECT '1' AS id", "TARGET_NOT_ALLOWED"),
        file(
            "B50b",
            "id\n1\n",
            COMMA,
            "CREATE TABLE p (id text) PARTITION BY LIST (id); CREATE TABLE t PARTITION OF p DEFAULT",
            "TARGET_NOT_ALLOWED"),
        file("B51", "id,b\n1,x\n", COMMA, "CREATE TABLE t (id text PRIMARY KEY)", "UNKNOWN_COLUMN"),
        file(
            "B53a",
            "id,b\n1,x\n",
            COMMA,
            "CREATE TABLE t (id text PRIMARY KEY, b text GENERATED ALWAYS AS (id) STORED)",
            "GENERATED_COLUMN"),
        file(
            "B53b",
            "id,b\n1,2\n",
            COMMA,
            "CREATE TABLE t (id text PRIMARY KEY, b int GENERATED ALWAYS AS IDENTITY)",
            "GENERATED_COLUMN"),
        file("B54", "id,a\n1,x\n", COMMA, "CREATE TABLE t (id text, a text)", "NO_UNIQUE_KEY"),
        file("B55a", "id,a\n1,x\n2,b\n", COMMA, trigger, "2; 2:CONSTRAINT; "),
        file("B55b", "id,a\n1,x\n2,b\n", COMMA, foreignKey, "2; 2:CONSTRAINT; "));
  }

  @BeforeAll
  void connect() throws SQLException {
    connection = TestDatabase.create().dataSource().getConnection();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void givesTheSameResultEveryTime(Case file) throws Exception {
    sql(
        "DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; CREATE TABLE IF NOT EXISTS s.keep (id int)");
    if (!file.ddl().isEmpty()) {
      sql("SET search_path = s; " + file.ddl() + "; RESET search_path");
    }
    assertThat(load(file)).isEqualTo(file.expected());
    assertThat(load(file)).isEqualTo(file.expected());
    assertThat(query("SELECT relname FROM pg_class WHERE relname = 'keep'")).isEqualTo("keep");
    assertThat(query("SELECT relname FROM pg_class WHERE relname LIKE '%staging%'")).isEmpty();
  }

  private String load(Case file) throws Exception {
    LoadSpec spec = LoadSpec.upsert(new TableName("s", "t"), List.of("id"));
    Origin origin = new Origin(file.id(), UUID.randomUUID());
    LoadResult[] result = new LoadResult[1];
    CaravanException failure =
        catchThrowableOfType(
            CaravanException.class,
            () -> {
              try (CsvReader reader =
                  CsvReader.open(new ByteArrayInputStream(file.bytes()), file.format())) {
                result[0] = Loader.load(connection, spec, origin, reader);
              }
            });
    connection.setAutoCommit(true);
    if (failure != null) {
      assertThat(failure.getMessage()).isNotBlank().doesNotContain("Exception");
      return failure.code().name();
    }
    List<String> warnings =
        result[0].warnings().stream().map(w -> w.replaceAll(":.*", "")).toList();
    return "%s; %s; %s"
        .formatted(
            query("SELECT id FROM s.t ORDER BY id COLLATE \"C\""),
            query(
                "SELECT line || ':' || code FROM caravan.reject WHERE load_id = '%s' ORDER BY line"
                    .formatted(origin.loadId())),
            String.join(" ", warnings));
  }

  private record Origin(String file, UUID loadId) implements LoadOrigin {
    @Override
    public String pipeline() {
      return file;
    }

    @Override
    public String sha256() {
      return null;
    }

    @Override
    public long bytes() {
      return 0;
    }

    @Override
    public boolean force() {
      return false;
    }
  }

  private void sql(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private String query(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      List<String> values = new ArrayList<>();
      while (row.next()) {
        values.add(row.getString(1));
      }
      return String.join(" ", values);
    }
  }
}
