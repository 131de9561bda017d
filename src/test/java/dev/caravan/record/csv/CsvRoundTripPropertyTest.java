package dev.caravan.record.csv;

import static org.assertj.core.api.Assertions.assertThat;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import de.siegmar.fastcsv.writer.QuoteStrategies;
import dev.caravan.record.RecordStream.Step;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * FastCSV writes, Caravan reads: each combination of delimiter, encoding, line end, quoting and
 * last line, with any character that the encoding has. {@link CsvScannerPropertyTest} mixes line
 * ends and cuts the input instead.
 */
class CsvRoundTripPropertyTest {

  private static final long SEED = 20_261_124;
  private static final int TABLES = 20;
  private static final int[] CODE_POINTS_BELOW = {0x80, 0x100, 0x10000, 0x110000};

  /**
   * @param quoteAll null and empty text are the same then; else only an empty text has quotes
   */
  private record Dialect(
      char delimiter,
      Charset charset,
      LineDelimiter lineEnd,
      boolean quoteAll,
      boolean finalLineEnd) {}

  static List<Dialect> dialects() {
    List<Dialect> dialects = new ArrayList<>();
    for (char delimiter : new char[] {',', ';', '|', '\t', '\u0001'}) {
      for (Charset charset :
          List.of(
              StandardCharsets.UTF_8,
              StandardCharsets.UTF_16LE,
              StandardCharsets.UTF_16BE,
              StandardCharsets.ISO_8859_1,
              Charset.forName("windows-1252"))) {
        for (int bits = 0; bits < 8; bits++) {
          LineDelimiter lineEnd = (bits & 1) == 0 ? LineDelimiter.LF : LineDelimiter.CRLF;
          dialects.add(new Dialect(delimiter, charset, lineEnd, (bits & 2) != 0, (bits & 4) != 0));
        }
      }
    }
    return dialects;
  }

  @ParameterizedTest
  @MethodSource("dialects")
  void readsTheTableThatWasWritten(Dialect dialect) throws IOException {
    Random random = new Random(SEED);
    for (int i = 0; i < TABLES; i++) {
      List<List<String>> table = table(random, dialect);

      String csv = write(table, dialect);

      assertThat(read(csv, dialect))
          .as("seed %d, table %d, %s, %s", SEED, i, dialect, csv)
          .isEqualTo(table);
    }
  }

  private static List<List<String>> table(Random random, Dialect dialect) {
    int columns = 1 + random.nextInt(6);
    List<List<String>> table = new ArrayList<>();
    table.add(IntStream.range(0, columns).mapToObj(c -> "column " + c).toList());
    int rows = random.nextInt(12);
    for (int r = 0; r < rows; r++) {
      List<String> row = new ArrayList<>();
      row.add("r" + r + text(random, dialect)); // a row of blanks is refused
      while (row.size() < columns) {
        boolean none = !dialect.quoteAll() && random.nextInt(10) == 0;
        row.add(none ? null : text(random, dialect));
      }
      table.add(row);
    }
    return table;
  }

  /** Every other character is one that CSV gives a meaning to. */
  private static String text(Random random, Dialect dialect) {
    String special = "\"\r\n \\" + dialect.delimiter();
    CharsetEncoder encoder = dialect.charset().newEncoder();
    int length = random.nextInt(8);
    StringBuilder text = new StringBuilder();
    while (text.codePointCount(0, text.length()) < length) {
      int bound = CODE_POINTS_BELOW[random.nextInt(CODE_POINTS_BELOW.length)];
      String character = Character.toString(1 + random.nextInt(bound - 1));
      if (random.nextBoolean()) {
        text.append(special.charAt(random.nextInt(special.length())));
      } else if (encoder.canEncode(character)) {
        text.append(character);
      }
    }
    return text.toString();
  }

  private static String write(List<List<String>> table, Dialect dialect) throws IOException {
    StringWriter csv = new StringWriter();
    try (CsvWriter writer =
        CsvWriter.builder()
            .fieldSeparator(dialect.delimiter())
            .lineDelimiter(dialect.lineEnd())
            .quoteStrategy(dialect.quoteAll() ? QuoteStrategies.ALWAYS : QuoteStrategies.EMPTY)
            .build(csv)) {
      table.forEach(writer::writeRecord);
    }
    int lineEnd = dialect.finalLineEnd() ? 0 : dialect.lineEnd().toString().length();
    return csv.toString().substring(0, csv.getBuffer().length() - lineEnd);
  }

  private static List<List<String>> read(String csv, Dialect dialect) throws IOException {
    CsvFormat format =
        CsvFormat.DEFAULT.withDelimiter(dialect.delimiter()).withCharset(dialect.charset());
    var bytes = new ByteArrayInputStream(csv.getBytes(dialect.charset()));
    try (CsvReader reader = CsvReader.open(bytes, format)) {
      List<List<String>> table = new ArrayList<>();
      table.add(reader.columns());
      for (Step step = reader.next(); step != Step.END; step = reader.next()) {
        assertThat(step).as(() -> String.valueOf(reader.reject())).isEqualTo(Step.RECORD);
        List<String> row = new ArrayList<>();
        for (int i = 0; i < reader.fields().count(); i++) {
          row.add(reader.fields().text(i));
        }
        table.add(row);
      }
      return table;
    }
  }
}
