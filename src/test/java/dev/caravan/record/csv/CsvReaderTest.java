package dev.caravan.record.csv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.RecordStream.Step;
import dev.caravan.record.RejectCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CsvReaderTest {

  private static final CsvFormat COMMA = CsvFormat.DEFAULT;

  /** What a file gives: records as lists, rejects as "line code column". */
  private record Read(
      List<String> columns,
      List<List<String>> records,
      List<String> rejects,
      List<String> warnings) {}

  private static Read read(String csv, CsvFormat format) throws IOException {
    return read(csv.getBytes(format.charset()), format);
  }

  private static Read read(byte[] csv, CsvFormat format) throws IOException {
    return read(new ByteArrayInputStream(csv), format);
  }

  private static Read read(InputStream in, CsvFormat format) throws IOException {
    List<List<String>> records = new ArrayList<>();
    List<String> rejects = new ArrayList<>();
    try (CsvReader reader = CsvReader.open(in, format)) {
      for (Step step = reader.next(); step != Step.END; step = reader.next()) {
        if (step == Step.RECORD) {
          List<String> values = new ArrayList<>();
          for (int i = 0; i < reader.fields().count(); i++) {
            values.add(reader.fields().text(i));
          }
          records.add(values);
        } else {
          var reject = reader.reject();
          rejects.add(reject.line() + " " + reject.code() + " " + reject.column());
        }
      }
      return new Read(reader.columns(), records, rejects, reader.warnings());
    }
  }

  private static void fails(String csv, CsvFormat format, FailureCode code, String... parts) {
    assertThatThrownBy(() -> read(csv, format))
        .isInstanceOfSatisfying(CaravanException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContainingAll(parts);
  }

  @Test
  void readsHeaderAndRecords() throws IOException {
    Read read = read("id,name\n1,Ada\n2,\"Grace \"\"Amazing\"\" H, RADM\"\n", COMMA);
    assertThat(read.columns()).containsExactly("id", "name");
    assertThat(read.records())
        .containsExactly(List.of("1", "Ada"), List.of("2", "Grace \"Amazing\" H, RADM"));
    assertThat(read.rejects()).isEmpty();
    assertThat(read.warnings()).isEmpty();
  }

  @Test
  void tellsAnEmptyFieldFromAnEmptyText() throws IOException {
    Read read = read("a,b,c\n,\"\",x\n", COMMA);
    assertThat(read.records()).containsExactly(Arrays.asList(null, "", "x"));
  }

  @Test
  void acceptsMixedLineEndsAndALastLineWithoutOne() throws IOException {
    Read read = read("a,b\r\n1,2\n3,4\r\n5,\"6\"", COMMA);
    assertThat(read.records())
        .containsExactly(List.of("1", "2"), List.of("3", "4"), List.of("5", "6"));
    assertThat(read.warnings()).containsExactly("NO_FINAL_NEWLINE: the last line has no line end");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a,b\n1,2\r", "a,b\n1,\"2\"\r"})
  void acceptsAFileThatWasCutBetweenCrAndLf(String csv) throws IOException {
    assertThat(read(csv, COMMA).records()).containsExactly(List.of("1", "2"));
  }

  @Test
  void keepsLineEndsInsideQuotesAndCountsThem() throws IOException {
    Read read = read("a,b\n1,\"x\ny\r\nz\"\n2\n", COMMA);
    assertThat(read.records()).containsExactly(List.of("1", "x\ny\r\nz"));
    assertThat(read.rejects()).containsExactly("5 COLUMN_COUNT null");
  }

  @Test
  void loadsABackslashDotAsData() throws IOException {
    assertThat(read("a\n\\.\nx\n", COMMA).records()).containsExactly(List.of("\\."), List.of("x"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          1,x"y"z     | STRAY_QUOTE  | b
          "1"x,y      | STRAY_QUOTE  | a
          1,"x" ,     | STRAY_QUOTE  | b
          1,2,3       | COLUMN_COUNT |
          1           | COLUMN_COUNT |
          1,2,        | COLUMN_COUNT |
          """)
  void refusesABadLineAndReadsTheNext(String line, RejectCode code, String column)
      throws IOException {
    Read read = read("a,b\n" + line + "\n3,4\n", COMMA);
    assertThat(read.rejects()).containsExactly("2 " + code + " " + column);
    assertThat(read.records()).containsExactly(List.of("3", "4"));
  }

  @Test
  void refusesALineOfWhiteSpaceAndPassesEmptyLinesOver() throws IOException {
    Read read = read("a\n\n   \nx\n\n", COMMA);
    assertThat(read.rejects()).containsExactly("3 BLANK_LINE null");
    assertThat(read.records()).containsExactly(List.of("x"));
    assertThat(read.warnings())
        .containsExactly("EMPTY_LINES: 2 empty lines, the first of them line 2, were passed over");
  }

  /** A row of empty fields is a row, also where the delimiter is white space. */
  @ParameterizedTest
  @ValueSource(chars = {',', ';', '|', '\t', ' ', '\u0001'})
  void readsARowOfEmptyFieldsAlikeForEveryDelimiter(char delimiter) throws IOException {
    Read read = read("a,b,c\n,,\n1,,3\n".replace(',', delimiter), COMMA.withDelimiter(delimiter));
    assertThat(read.rejects()).isEmpty();
    assertThat(read.records())
        .containsExactly(Arrays.asList(null, null, null), Arrays.asList("1", null, "3"));
  }

  @Test
  void refusesACarriageReturnInsideALine() throws IOException {
    Read read = read("a,b\n1\r,2\n3,4\n", COMMA);
    assertThat(read.rejects()).containsExactly("2 LINE_ENDING a");
    assertThat(read.records()).containsExactly(List.of("3", "4"));
  }

  @Test
  void failsOnLinesThatEndWithCrAlone() {
    fails("a,b\r1,2\r3,4\r", COMMA, FailureCode.LINE_ENDING, "Line 1", "LF or CRLF");
  }

  @Test
  void refusesBytesThatAreNotInTheEncodingWithTheirPlace() throws IOException {
    byte[] csv = "id,name\n1,M\u00fcller\n2,ok\n".getBytes(StandardCharsets.ISO_8859_1);
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(csv), COMMA)) {
      assertThat(reader.next()).isEqualTo(Step.REJECT);
      assertThat(reader.reject().code()).isEqualTo(RejectCode.ENCODING);
      assertThat(reader.reject().column()).isEqualTo("name");
      assertThat(reader.reject().byteOffset()).isEqualTo(8);
      assertThat(reader.reject().message()).contains("byte 11 (FC)");
      assertThat(reader.reject().raw()).isEqualTo("1,M\\xFCller");
      assertThat(reader.next()).isEqualTo(Step.RECORD);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"C0AF", "EDA080", "80", "F8888080", "E282"})
  void refusesWhatIsNotUtf8(String hex) throws IOException {
    byte[] bad = java.util.HexFormat.of().parseHex(hex);
    byte[] csv = new byte[bad.length + 5];
    System.arraycopy("a\n".getBytes(StandardCharsets.US_ASCII), 0, csv, 0, 2);
    System.arraycopy(bad, 0, csv, 2, bad.length);
    System.arraycopy("\nx\n".getBytes(StandardCharsets.US_ASCII), 0, csv, 2 + bad.length, 3);
    Read read = read(csv, COMMA);
    assertThat(read.rejects()).containsExactly("2 ENCODING a");
    assertThat(read.records()).containsExactly(List.of("x"));
  }

  @Test
  void refusesANulByte() throws IOException {
    Read read = read("a,b\n1,x\0y\n\"\0\",2\n3,4\n", COMMA);
    assertThat(read.rejects()).containsExactly("2 NUL_BYTE b", "3 NUL_BYTE a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ISO-8859-1",
        "windows-1252",
        "ISO-8859-15",
        "UTF-16",
        "UTF-16LE",
        "UTF-8",
        "GB18030"
      })
  void readsAnyEncoding(String name) throws IOException {
    CsvFormat format = COMMA.withDelimiter(';').withCharset(Charset.forName(name));
    Read read = read("Größe;straße\nä;Übermaß\nö;|\n", format);
    assertThat(read.columns()).containsExactly("Größe", "straße");
    assertThat(read.records()).containsExactly(List.of("ä", "Übermaß"), List.of("ö", "|"));
    assertThat(read.rejects()).isEmpty();
  }

  @Test
  void knowsTheByteOffsetInASingleByteEncoding() throws IOException {
    byte[] csv = "a;b\nä;ö\nü;ß;x\n".getBytes(StandardCharsets.ISO_8859_1);
    CsvFormat format = COMMA.withDelimiter(';').withCharset(StandardCharsets.ISO_8859_1);
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(csv), format)) {
      reader.next();
      assertThat(reader.next()).isEqualTo(Step.REJECT);
      assertThat(reader.reject().byteOffset()).isEqualTo(8);
      assertThat(reader.reject().raw()).isEqualTo("ü;ß;x");
    }
  }

  @Test
  void refusesABytesThatTheCodePageDoesNotHave() throws IOException {
    byte[] csv = {'a', '\n', (byte) 0x81, '\n', 'x', '\n'};
    Read read = read(csv, COMMA.withCharset(Charset.forName("windows-1252")));
    assertThat(read.rejects()).containsExactly("2 ENCODING a");
    assertThat(read.records()).containsExactly(List.of("x"));
  }

  @Test
  void takesAByteOrderMarkAway() throws IOException {
    assertThat(read("\ufeffa,b\n1,2\n", COMMA).columns()).containsExactly("a", "b");
  }

  @Test
  void failsWhenTheByteOrderMarkIsOfAnotherEncoding() {
    CsvFormat latin = COMMA.withCharset(StandardCharsets.ISO_8859_1);
    byte[] utf8 = "\ufeffa,b\n".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(utf8, latin))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.ENCODING))
        .hasMessageContaining("UTF-8");
    byte[] utf16 = "\ufeffa,b\n".getBytes(StandardCharsets.UTF_16LE);
    assertThatThrownBy(() -> read(utf16, COMMA)).hasMessageContaining("UTF-16");
  }

  @Test
  void namesTheLineOfAnUnterminatedQuote() {
    fails("a,b\n1,2\n3,\"x\n4,5\n", COMMA, FailureCode.UNTERMINATED_QUOTE, "line 3", "field 2");
  }

  @Test
  void boundsTheMemoryOfAnUnterminatedQuote() {
    InputStream endless = new RepeatingStream("a,b\n1,\"x\n", "4,5 some more text\n", 1 << 30);
    assertThatThrownBy(() -> read(endless, COMMA))
        .isInstanceOfSatisfying(
            CaravanException.class,
            e -> assertThat(e.code()).isEqualTo(FailureCode.UNTERMINATED_QUOTE))
        .hasMessageContaining("line 2");
  }

  @Test
  void failsOnALineOfTwoGibibytes() {
    InputStream endless = new RepeatingStream("a,b\n", "some text without an end", 2L << 30);
    assertThatThrownBy(() -> read(endless, COMMA))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.ROW_TOO_LARGE))
        .hasMessageContaining("line 2");
  }

  @Test
  void refusesALineOfManyMoreFieldsThanColumnsWithoutKeepingThem() throws IOException {
    Read read = read("a,b\n" + ",".repeat(10_000_000) + "\n1,2\n", COMMA);
    assertThat(read.rejects()).containsExactly("2 COLUMN_COUNT null");
    assertThat(read.records()).containsExactly(List.of("1", "2"));
  }

  @Test
  void refusesAFieldOfMoreThanOneMebibyte() throws IOException {
    String just = "x".repeat(1 << 20);
    Read read = read("a,b\n1," + just + "\n2,\"" + just + "y\"\n", COMMA);
    assertThat(read.records()).containsExactly(List.of("1", just));
    assertThat(read.rejects()).containsExactly("3 FIELD_TOO_LARGE b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''            | EMPTY_FILE       | no header
          id,name,id    | DUPLICATE_HEADER | Columns 1 and 3
          id,' id '     | DUPLICATE_HEADER | Columns 1 and 2
          a,,c          | EMPTY_HEADER     | Column 2
          a,b""c        | HEADER_MISMATCH  | STRAY_QUOTE
          """)
  void failsOnABadHeader(String header, FailureCode code, String part) {
    fails(header.isEmpty() ? "" : header.replace("'", "") + "\n1,2,3\n", COMMA, code, part);
  }

  /** A mapping may give them names that a table can have; the load looks at those. */
  @ParameterizedTest
  @ValueSource(strings = {"b\nc", "b\tc", "b\u200Bc"})
  void takesNamesThatNoTableCouldHave(String name) throws IOException {
    assertThat(read("a,\"" + name + "\"\n", COMMA).columns()).containsExactly("a", name);
    String longName = "ü".repeat(40);
    assertThat(read("a," + longName + "\n", COMMA).columns()).containsExactly("a", longName);
    assertThat(read("a,A\n", COMMA).columns()).containsExactly("a", "A");
  }

  @Test
  void failsOnANulByteInTheHeader() {
    fails("a,b\0c\n", COMMA, FailureCode.BAD_NAME, "header");
  }

  @Test
  void takesNamesLiterally() throws IOException {
    List<String> names =
        List.of(
            "${jndi:ldap://x}",
            "{{secret}}",
            "${header.x}",
            "#{x}",
            "id\"; DROP TABLE x; --",
            "select");
    String header = "\"" + String.join("\",\"", names).replace("id\"", "id\"\"") + "\"\n";
    assertThat(read(header, COMMA).columns()).containsExactlyElementsOf(names);
  }

  @Test
  void failsOnMoreColumnsThanATableHas() throws IOException {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 1_599; i++) {
      names.add("c" + i);
    }
    assertThat(read(String.join(",", names) + "\n", COMMA).columns()).hasSize(1_599);
    names.add("more");
    names.add("evenmore");
    fails(String.join(",", names) + "\n", COMMA, FailureCode.TOO_MANY_COLUMNS, "1601", "1599");
  }

  @Test
  void acceptsATrailingDelimiterWhenTheHeaderHasIt() throws IOException {
    Read read = read("a,b,\n1,2,\n3,4\n5,6,7\n", COMMA);
    assertThat(read.columns()).containsExactly("a", "b");
    assertThat(read.records()).containsExactly(List.of("1", "2"));
    assertThat(read.rejects()).containsExactly("3 COLUMN_COUNT null", "4 COLUMN_COUNT null");
  }

  @Test
  void skipsTheLinesBeforeTheHeader() throws IOException {
    Read read = read("# made by, \"x\n\na|b\n1|2\n", COMMA.withDelimiter('|').withSkipLines(2));
    assertThat(read.columns()).containsExactly("a", "b");
    assertThat(read.records()).containsExactly(List.of("1", "2"));
    fails("x\n", COMMA.withSkipLines(3), FailureCode.EMPTY_FILE, "has 1 lines", "3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sep=;\n", "SEP=;\r\n", "\uFEFFsep=;\r\n"})
  void passesALineOverThatNamesTheDelimiter(String line) throws IOException {
    CsvFormat semicolon = COMMA.withDelimiter(';');
    Read read = read(line + "a;b\n1;2\n3\n", semicolon);
    assertThat(read.columns()).containsExactly("a", "b");
    assertThat(read.records()).containsExactly(List.of("1", "2"));
    assertThat(read.rejects()).containsExactly("4 COLUMN_COUNT null");
    assertThat(read(line + "a;b\n1;2\n", semicolon.withSkipLines(1)).columns())
        .containsExactly("a", "b");
    fails(line + "a;b\n", COMMA, FailureCode.HEADER_MISMATCH, "is ';'", "configured is ','");
    assertThat(read("sep=x\n1\n", COMMA).columns()).containsExactly("sep=x");
  }

  @Test
  void warnsOfAHeaderWithoutRecords() throws IOException {
    assertThat(read("a,b\n", COMMA).warnings()).first().asString().startsWith("NO_RECORDS");
    assertThat(read("a,b", COMMA).warnings()).hasSize(2);
  }

  @Test
  void checksTheTrailer() throws IOException {
    CsvFormat format = COMMA.withDelimiter(';').withTrailer(Optional.of("TRL"));
    assertThat(read("a;b\n1;2\n3;4\nTRL;00002\n", format).records()).hasSize(2);
    fails("a;b\n1;2\nTRL;00012\n", format, FailureCode.TRAILER_COUNT, "'00012'", "has 1");
    fails("a;b\n1;2\nTRL;x\n", format, FailureCode.TRAILER_COUNT, "'x'");
    fails("a;b\n1;2\n", format, FailureCode.SOURCE_INCOMPLETE, "TRL");
    fails("a;b\n1;2\nTRL;1\n3;4\n", format, FailureCode.TRAILER_COUNT, "Line 4");
  }

  @Test
  void takesTheConfiguredWordsAsNull() throws IOException {
    CsvFormat format = COMMA.withNullWords(List.of("NULL", "\\N"));
    assertThat(read("a,b,c,d\nNULL,\\N,\"NULL\",null\n", format).records())
        .containsExactly(Arrays.asList(null, null, "NULL", "null"));
    assertThat(read("a,b\nNULL,N/A\n", COMMA).records()).containsExactly(List.of("NULL", "N/A"));
  }

  @ParameterizedTest
  @ValueSource(chars = {'a', '1', '"', '\\', '\n', '\r', 'ä'})
  void refusesADelimiterThatCouldBeData(char delimiter) {
    assertThatThrownBy(() -> COMMA.withDelimiter(delimiter))
        .isInstanceOf(CaravanException.class)
        .hasMessageContaining("delimiter");
  }

  @ParameterizedTest
  @ValueSource(chars = {';', '|', '\t', '\u0001', ' '})
  void readsOtherDelimiters(char delimiter) throws IOException {
    Read read = read("a,b\n1,\"x,y\"\n".replace(',', delimiter), COMMA.withDelimiter(delimiter));
    assertThat(read.records()).containsExactly(List.of("1", "x" + delimiter + "y"));
  }

  @Test
  void guessesTheDelimiterOfAHeaderOfOneColumn() throws IOException {
    try (CsvReader reader =
        CsvReader.open(
            new ByteArrayInputStream("id;name;city\n".getBytes(StandardCharsets.UTF_8)), COMMA)) {
      assertThat(reader.headerHint()).contains("';'").contains("','");
    }
  }

  /** A prefix, then the same text over and over, up to a number of bytes. */
  private static final class RepeatingStream extends InputStream {
    private final byte[] prefix;
    private final byte[] text;
    private final long size;
    private long at;

    RepeatingStream(String prefix, String text, long size) {
      this.prefix = prefix.getBytes(StandardCharsets.US_ASCII);
      this.text = text.getBytes(StandardCharsets.US_ASCII);
      this.size = size;
    }

    @Override
    public int read() {
      if (at >= size) {
        return -1;
      }
      byte b =
          at < prefix.length ? prefix[(int) at] : text[(int) ((at - prefix.length) % text.length)];
      at++;
      return b;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      int n = 0;
      while (n < length && at < size) {
        target[offset + n++] = (byte) read();
      }
      return n == 0 ? -1 : n;
    }
  }
}
