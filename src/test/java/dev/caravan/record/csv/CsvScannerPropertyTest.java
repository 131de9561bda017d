package dev.caravan.record.csv;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.record.RecordStream.Step;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random tables in every dialect, against the table that was written and against FastCSV. */
class CsvScannerPropertyTest {

  private static final int TABLES = 400;
  private static final List<Charset> CHARSETS =
      List.of(
          StandardCharsets.UTF_8,
          StandardCharsets.ISO_8859_1,
          StandardCharsets.UTF_16LE,
          StandardCharsets.UTF_16BE);
  private static final String[] PIECES = {
    "\"", "\"\"", ",", ";", "|", "\t", "\n", "\r\n", "\\", "\\.", " ", "a", "0042", "ß", "Ä", "é"
  };
  private static final String[] BEYOND_LATIN_1 = {"€", "Ω", "漢字", "😀", "e\u0301", "\u2028"};

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void readsWhatWasWrittenAsFastCsvDoes(long seed) throws IOException {
    Random random = new Random(seed);
    for (int i = 0; i < TABLES; i++) {
      Charset charset = pick(random, CHARSETS);
      char delimiter = pick(random, List.of(',', ';', '|', '\t'));
      List<List<String>> table = table(random, charset);
      String csv = write(random, table, delimiter);
      CsvFormat format = CsvFormat.DEFAULT.withDelimiter(delimiter).withCharset(charset);
      String what = "seed %d, table %d, %s, %s".formatted(seed, i, charset, csv);

      List<List<String>> read = read(new InPieces(csv.getBytes(charset), random), format);

      assertThat(read).as(what).isEqualTo(table);
      assertThat(emptyForNull(read)).as(what).isEqualTo(fastCsv(csv, delimiter));
    }
  }

  private static <T> T pick(Random random, List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  /** The first row is the header. Null is an empty field, which a quoted empty text is not. */
  private static List<List<String>> table(Random random, Charset charset) {
    int columns = 2 + random.nextInt(6);
    List<List<String>> table = new ArrayList<>();
    List<String> header = new ArrayList<>();
    for (int c = 0; c < columns; c++) {
      header.add("column " + c);
    }
    table.add(header);
    int rows = random.nextInt(12);
    for (int r = 0; r < rows; r++) {
      List<String> row = new ArrayList<>();
      for (int c = 0; c < columns; c++) {
        row.add(value(random, charset));
      }
      row.set(0, "r" + r + (row.get(0) == null ? "" : row.get(0))); // a row of blanks is refused
      table.add(row);
    }
    return table;
  }

  private static String value(Random random, Charset charset) {
    int kind = random.nextInt(100);
    if (kind < 10) {
      return null;
    }
    if (kind < 20) {
      return "";
    }
    boolean latin = charset.equals(StandardCharsets.ISO_8859_1);
    int pieces = kind == 99 ? 30_000 : 1 + random.nextInt(6);
    StringBuilder value = new StringBuilder();
    for (int i = 0; i < pieces; i++) {
      boolean beyond = !latin && random.nextInt(4) == 0;
      value.append(pick(random, List.of(beyond ? BEYOND_LATIN_1 : PIECES)));
    }
    return value.toString();
  }

  private static String write(Random random, List<List<String>> table, char delimiter) {
    boolean quoteAlways = random.nextBoolean();
    StringBuilder csv = new StringBuilder();
    for (List<String> row : table) {
      for (int c = 0; c < row.size(); c++) {
        String value = row.get(c);
        csv.append(c == 0 ? "" : delimiter);
        if (value != null) {
          csv.append(quoteAlways || needsQuotes(value, delimiter) ? quoted(value) : value);
        }
      }
      csv.append(random.nextBoolean() ? "\n" : "\r\n");
    }
    if (random.nextInt(4) == 0) {
      csv.setLength(csv.lastIndexOf("\n"));
      if (csv.charAt(csv.length() - 1) == '\r') {
        csv.setLength(csv.length() - 1);
      }
    }
    return csv.toString();
  }

  private static boolean needsQuotes(String value, char delimiter) {
    return value.isEmpty()
        || value.chars().anyMatch(c -> c == '"' || c == '\n' || c == '\r' || c == delimiter);
  }

  private static String quoted(String value) {
    return '"' + value.replace("\"", "\"\"") + '"';
  }

  private static List<List<String>> read(InputStream in, CsvFormat format) throws IOException {
    try (CsvReader reader = CsvReader.open(in, format)) {
      List<List<String>> records = new ArrayList<>();
      records.add(reader.columns());
      for (Step step = reader.next(); step != Step.END; step = reader.next()) {
        assertThat(step).as(() -> String.valueOf(reader.reject())).isEqualTo(Step.RECORD);
        List<String> values = new ArrayList<>();
        for (int i = 0; i < reader.fields().count(); i++) {
          values.add(reader.fields().text(i));
        }
        records.add(values);
      }
      return records;
    }
  }

  private static List<List<String>> fastCsv(String csv, char delimiter) throws IOException {
    List<List<String>> records = new ArrayList<>();
    try (var reader =
        de.siegmar.fastcsv.reader.CsvReader.builder().fieldSeparator(delimiter).ofCsvRecord(csv)) {
      reader.forEach(record -> records.add(record.getFields()));
    }
    return records;
  }

  /** FastCSV does not tell an empty field from an empty text. */
  private static List<List<String>> emptyForNull(List<List<String>> records) {
    return records.stream()
        .map(row -> row.stream().map(value -> value == null ? "" : value).toList())
        .toList();
  }

  /** Gives 1 to 7 bytes at a time, so that every boundary falls everywhere. */
  private static final class InPieces extends FilterInputStream {

    private final Random random;

    InPieces(byte[] bytes, Random random) {
      super(new ByteArrayInputStream(bytes));
      this.random = random;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      return super.read(target, offset, Math.min(length, 1 + random.nextInt(7)));
    }
  }
}
