package dev.caravan.project;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.mapping.FieldMapping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MappingReaderTest {

  @TempDir private Path folder;

  private FieldMapping read(String text) throws IOException {
    return MappingReader.read(Files.writeString(folder.resolve("m.yaml"), text).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "a: {word: {A: a}}; columns.a.word: unknown key (did you mean words?)",
        "a: {}; columns.a: found none; allowed: exactly one of from, join, parameter, constant",
        "a: {from: A, constant: b}; columns.a: found from and constant; allowed: exactly one of",
        "a: {from: A, date: yyyyMMdd, decimal: ','}; found date and decimal; allowed: one of date",
        "a: {constant: A, date: yyyy}; columns.a: found date; allowed: one of date, words",
        "a: {from: A, otherwise: x}; columns.a.otherwise: given without words",
        "a: {from: A, thousands: x}; columns.a.thousands: given without decimal",
        "a: {from: A, date: HHmm}; columns.a.date: found 'HHmm'; allowed is a pattern of year",
        "a: {from: A, date: yyyy}; columns.a.date: found 'yyyy'; allowed is a pattern of year",
        "a: {from: A, words: {}}; columns.a.words",
        "a: {from: 1}; columns.a.from: found 1; allowed: text, not empty (put it into quotes)",
        "a: {join: [A]}; columns.a.join",
        "a: {from: A, true_words: [YES, YES]}; columns.a.true_words"
      })
  void saysWhereAndWhatIsWrong(String column, String part) {
    assertThatThrownBy(() -> read("columns:\n  " + column + "\n  b: {from: B}\n"))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
        .hasMessageContaining("m.yaml: ")
        .hasMessageContaining(part);
  }

  @Test
  void saysAllThatIsWrongAtOnce() {
    assertThatThrownBy(() -> read("columns:\n  a: {}\n  b: {from: B, otherwise: x}\n"))
        .hasMessageContainingAll("columns.a: ", "columns.b.otherwise: ");
    assertThatThrownBy(() -> read("")).hasMessageContaining("required keys: columns");
    assertThatThrownBy(() -> read("columns: {}\n")).hasMessageContaining("columns");
    assertThatThrownBy(() -> MappingReader.read(folder.resolve("none.yaml").toString()))
        .hasMessageContaining("there is no such file");
  }

  @Test
  void readsTheMappingOfTheContract() {
    FieldMapping travel = MappingReader.read("mappings/travel-tableau.yaml");
    assertThat(travel.fields()).hasSize(14).startsWith("Sciper").contains("OUT_CO2_CORRECTED");
    assertThat(travel.columns()).hasSize(17);
    assertThat(travel.fieldOf("centre_financier")).contains("Centre financier");
    assertThat(travel.fieldOf("source_key")).isEmpty();
  }
}
