package dev.caravan.record.csv;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.record.RecordStream.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Public collections of difficult CSV files: each is read as published, or refused by name. */
class CsvCorporaTest {

  private static final Path SPECTRUM = Path.of("src/test/resources/corpora/csv-spectrum");
  private static final String AS_PUBLISHED = "as published";

  /** What becomes of each file: {@link #AS_PUBLISHED}, or the code that it is refused with. */
  private static final Map<String, String> OUTCOMES =
      Map.ofEntries(
          Map.entry("comma_in_quotes.csv", AS_PUBLISHED),
          Map.entry("empty.csv", AS_PUBLISHED),
          Map.entry("empty_crlf.csv", AS_PUBLISHED),
          Map.entry("escaped_quotes.csv", AS_PUBLISHED),
          Map.entry("json.csv", AS_PUBLISHED),
          // 36'37.8"N without quotes around it; what is published for it is another row
          Map.entry("location_coordinates.csv", "STRAY_QUOTE"),
          Map.entry("newlines.csv", AS_PUBLISHED),
          Map.entry("newlines_crlf.csv", AS_PUBLISHED),
          Map.entry("quotes_and_newlines.csv", AS_PUBLISHED),
          Map.entry("simple.csv", AS_PUBLISHED),
          Map.entry("simple_crlf.csv", AS_PUBLISHED),
          Map.entry("utf8.csv", AS_PUBLISHED));

  /** The records by column name, and the codes of what was refused. */
  private record Read(List<Map<String, String>> records, List<String> codes) {}

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(SPECTRUM.resolve("csvs"))) {
      return files.sorted().toList();
    }
  }

  @Test
  void everyFileOfTheCorpusHasAnOutcome() throws IOException {
    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactlyInAnyOrderElementsOf(OUTCOMES.keySet());
  }

  @ParameterizedTest
  @MethodSource("files")
  void readsTheFileAsPublishedOrRefusesItByName(Path file) throws IOException {
    String outcome = OUTCOMES.get(file.getFileName().toString());

    Read read = read(file);

    if (AS_PUBLISHED.equals(outcome)) {
      assertThat(read).isEqualTo(new Read(published(file), List.of()));
    } else {
      assertThat(read.codes()).containsExactly(outcome);
    }
  }

  private static List<Map<String, String>> published(Path file) throws IOException {
    String name = file.getFileName().toString().replace(".csv", ".json");
    return new ObjectMapper()
        .readValue(SPECTRUM.resolve("json").resolve(name).toFile(), new TypeReference<>() {});
  }

  private static Read read(Path file) throws IOException {
    Read read = new Read(new ArrayList<>(), new ArrayList<>());
    try (CsvReader reader = CsvReader.open(Files.newInputStream(file), CsvFormat.DEFAULT)) {
      for (Step step = reader.next(); step != Step.END; step = reader.next()) {
        if (step == Step.REJECT) {
          read.codes().add(reader.reject().code().name());
        } else {
          read.records().add(current(reader));
        }
      }
    } catch (CaravanException e) {
      read.codes().add(e.code().name());
    }
    return read;
  }

  /** JSON of the corpora has no null: an empty field is an empty text there. */
  private static Map<String, String> current(CsvReader reader) {
    Map<String, String> record = new LinkedHashMap<>();
    for (int i = 0; i < reader.columns().size(); i++) {
      String value = reader.fields().text(i);
      record.put(reader.columns().get(i), value == null ? "" : value);
    }
    return record;
  }
}
