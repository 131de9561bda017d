package dev.caravan.record.csv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.RecordStream.Step;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the bytes of a file say about its encoding, against what was configured. */
class EncodingTest {

  private static final String CSV = "id,Größe\n1,Müller\n2,漢字\n";

  /** How a file can be written: encoding of the bytes, with or without its mark. */
  private static final List<String> WRITTEN =
      List.of("UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE");

  /** Configured encoding to the ways of writing that it reads, each with and without a mark. */
  private static final Map<String, Set<String>> READS =
      Map.of(
          "UTF-8", Set.of("UTF-8"),
          "UTF-16", Set.of("UTF-16LE", "UTF-16BE"),
          "UTF-16LE", Set.of("UTF-16LE"),
          "UTF-16BE", Set.of("UTF-16BE"),
          "x-UTF-16LE-BOM", Set.of("UTF-16LE"),
          "UTF-32", Set.of("UTF-32LE", "UTF-32BE"),
          "UTF-32LE", Set.of("UTF-32LE"),
          "UTF-32BE", Set.of("UTF-32BE"),
          "X-UTF-32BE-BOM", Set.of("UTF-32BE"),
          "ISO-8859-1", Set.of());

  static List<String> configured() {
    return READS.keySet().stream().sorted().toList();
  }

  private static List<String> read(byte[] bytes, CsvFormat format) throws IOException {
    List<String> read = new ArrayList<>();
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(bytes), format)) {
      read.add(String.join(",", reader.columns()));
      for (Step step = reader.next(); step != Step.END; step = reader.next()) {
        read.add(
            step == Step.REJECT
                ? reader.reject().line() + " " + reader.reject().code()
                : reader.fields().text(0) + "," + reader.fields().text(1));
      }
      read.addAll(reader.warnings());
    }
    return read;
  }

  private static CsvFormat in(String encoding) {
    return CsvFormat.DEFAULT.withCharset(Charset.forName(encoding));
  }

  /** Every configured encoding × every way of writing × mark: the rows, or ENCODING. */
  @ParameterizedTest
  @MethodSource("configured")
  void readsWhatItIsOrFails(String configured) throws IOException {
    for (String written : WRITTEN) {
      for (String mark : List.of("", "\uFEFF")) {
        String what =
            "%s%s read as %s".formatted(written, mark.isEmpty() ? "" : "+mark", configured);
        byte[] bytes = (mark + CSV).getBytes(Charset.forName(written));
        boolean plainUtf8AsBytes =
            configured.equals("ISO-8859-1") && written.equals("UTF-8") && mark.isEmpty();
        if (READS.get(configured).contains(written)) {
          assertThat(read(bytes, in(configured)))
              .as(what)
              .containsExactly("id,Größe", "1,Müller", "2,漢字");
        } else if (plainUtf8AsBytes) {
          assertThat(read(bytes, in(configured)))
              .as(what)
              .hasSize(4)
              .last()
              .asString()
              .startsWith(
                  "ENCODING_DOUBTFUL: all characters beyond ASCII, the first of them in line 1, are UTF-8");
        } else {
          failsWithEncoding(what, bytes, configured);
        }
      }
    }
  }

  private static void failsWithEncoding(String what, byte[] bytes, String configured)
      throws IOException {
    try {
      fail(what + " gave " + read(bytes, in(configured)));
    } catch (CaravanException e) {
      assertThat(e.code()).as(what + ": " + e.getMessage()).isEqualTo(FailureCode.ENCODING);
      assertThat(e.getMessage()).as(what).contains(configured);
    }
  }

  @Test
  void theMarkOfGb18030IsCutOffToo() throws IOException {
    byte[] bytes = ("\uFEFF" + CSV).getBytes(Charset.forName("GB18030"));
    assertThat(read(bytes, in("GB18030"))).startsWith("id,Größe", "1,Müller");
  }

  @ParameterizedTest
  @CsvSource({"UTF-16,UTF-16LE", "UTF-16,UTF-16BE", "UTF-16LE,UTF-16LE", "UTF-8,UTF-8"})
  void aMarkAloneIsAnEmptyFile(String configured, String written) {
    byte[] bytes = "\uFEFF".getBytes(Charset.forName(written));
    assertThatThrownBy(() -> read(bytes, in(configured)))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.EMPTY_FILE));
  }

  @ParameterizedTest
  @CsvSource({
    "windows-1252, ISO-8859-1, probably cp1252",
    "UTF-8,        ISO-8859-1, probably utf-8",
    "UTF-8,        windows-1252, probably utf-8",
    "UTF-8,        ISO-8859-15, probably utf-8",
    "ISO-8859-1,   ISO-8859-1,",
    "ISO-8859-15,  ISO-8859-15,",
    "windows-1252, windows-1252,",
    "UTF-8,        UTF-8,"
  })
  void doubtsAnEncodingWhoseTextMakesNoSense(String written, String configured, String doubt)
      throws IOException {
    String euro = written.startsWith("ISO") ? "ä" : "€";
    byte[] bytes =
        ("id,name\n1,plain\n2,\"M\u00FCller\"\n3,10 " + euro + " – x\n")
            .replace(" – ", written.startsWith("ISO") ? " - " : " – ")
            .getBytes(Charset.forName(written));
    CsvFormat warn = in(configured);
    assertThat(read(bytes, warn).stream().filter(line -> line.startsWith("ENCODING_DOUBTFUL")))
        .hasSize(doubt == null ? 0 : 1)
        .allMatch(line -> line.contains(doubt));
    assertThat(read(bytes, warn.withPlausibility(Plausibility.OFF)))
        .hasSize(4)
        .noneMatch(line -> line.startsWith("ENCODING"));
    CsvFormat refuse = warn.withPlausibility(Plausibility.REFUSE);
    if (doubt == null) {
      assertThat(read(bytes, refuse)).hasSize(4);
    } else {
      assertThatThrownBy(() -> read(bytes, refuse))
          .isInstanceOfSatisfying(
              CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.ENCODING))
          .hasMessageContaining(doubt)
          .hasMessageContaining("plausibility");
    }
  }

  /** One text that is no UTF-8 is enough: then the others were meant so. */
  @Test
  void mixedTextIsNotTakenForUtf8() throws IOException {
    ByteArrayOutputStream mixed = new ByteArrayOutputStream();
    mixed.writeBytes("id,name\n1,MÃ¼ller\n2,M\u00FCller\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(read(mixed.toByteArray(), in("ISO-8859-1")))
        .containsExactly("id,name", "1,MÃ¼ller", "2,Müller");
  }

  /** Files that were put together bring their headers and marks along. */
  @ParameterizedTest
  @CsvSource({"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE"})
  void refusesTheBeginningOfAnotherFileInTheMiddle(String encoding) throws IOException {
    String text =
        "\uFEFFid,name\n1,a\n\uFEFFid,name\r\n2,b\nid,name\n3,c\n\uFEFF4,d\n5,id,name\n6,\uFEFFid\nid,name";
    byte[] bytes = text.getBytes(Charset.forName(encoding));
    CsvFormat format = in(encoding);
    assertThat(read(bytes, format))
        .startsWith(
            "id,name",
            "1,a",
            "3 REPEATED_HEADER",
            "2,b",
            "5 REPEATED_HEADER",
            "3,c",
            "7 BYTE_ORDER_MARK",
            "8 COLUMN_COUNT",
            "6,\uFEFFid",
            "10 REPEATED_HEADER");
    assertThat(read(bytes, format.withPlausibility(Plausibility.OFF)))
        .contains("\uFEFFid,name", "id,name", "\uFEFF4,d");
    assertThatThrownBy(() -> read(bytes, format.withPlausibility(Plausibility.REFUSE)))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.ROWS_REJECTED))
        .hasMessageContaining("Line 3");
  }
}
