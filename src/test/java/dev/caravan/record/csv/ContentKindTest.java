package dev.caravan.record.csv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Content of another kind than CSV is told by its first bytes, and nothing else is. */
class ContentKindTest {

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Kind(byte[] content, FailureCode code, String what) {
    @Override
    public String toString() {
      return what;
    }
  }

  private static byte[] latin(String bytes) {
    return bytes.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static Kind archive(String bytes, String what) {
    return new Kind(latin(bytes), FailureCode.ARCHIVE, what);
  }

  private static Kind document(String bytes, String what) {
    return new Kind(latin(bytes), FailureCode.NOT_CSV, what);
  }

  private static Kind zip(FailureCode code, String what, String... entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String entry : entries) {
        zip.putNextEntry(new ZipEntry(entry));
        zip.write(latin("id,name\n1,a\n"));
      }
    }
    return new Kind(bytes.toByteArray(), code, what);
  }

  static Stream<Kind> others() throws IOException {
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(gzip)) {
      out.write(latin("id\n1\n"));
    }
    return Stream.of(
        zip(FailureCode.ARCHIVE, "a zip archive", "x.csv"),
        zip(FailureCode.ARCHIVE, "an empty zip archive"),
        zip(FailureCode.NOT_CSV, "an Excel workbook (.xlsx)", "[Content_Types].xml", "xl/a.xml"),
        zip(FailureCode.NOT_CSV, "an Excel workbook (.xlsx)", "xl/workbook.xml"),
        document(
            "PK\3\4\24\0\0\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "an OpenDocument file"),
        new Kind(gzip.toByteArray(), FailureCode.ARCHIVE, "a gzip file"),
        archive("\u00FD7zXZ\0\0\4", "an xz file"),
        archive("7z\u00BC\u00AF'\u001C\0\4", "a 7z archive"),
        archive("BZh91AY&SY\1\2", "a bzip2 file"),
        archive("(\u00B5/\u00FD\1", "a zstd file"),
        archive("Rar!\u001A\7\0", "a rar archive"),
        archive("x.csv" + "\0".repeat(252) + "ustar\00000", "a tar archive"),
        document("\u00D0\u00CF\u0011\u00E0\u00A1\u00B1\u001A\u00E1\0\0", "an old Excel workbook"),
        document("%PDF-1.7\n%\u00E2\u00E3\n1 0 obj\n", "a PDF"),
        document("{\\rtf1\\ansi", "an RTF document"),
        document("SQLite format 3\0\20", "an SQLite database"),
        document("PAR1\u0015\4", "a Parquet file"),
        document("<!DOCTYPE html>\n<html><head><title>503</title>", "a web page"),
        document("\r\n\r\n  <HTML lang=\"de\">\n<body>", "a web page"),
        document("<!-- a, b --><html>", "a web page"),
        document("<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code>", "an XML document"),
        document("<Error><Code>NoSuchKey</Code>", "an XML document"),
        document("<table border=\"1\"><tr><td>id</td>", "an XML document"),
        document("{\"error\": \"no such report\"}", "JSON"),
        document("{\"id\":1}\n{\"id\":2}\n", "JSON"),
        document("[\n  {\"id\": 1, \"n\": [1,2]}\n]", "JSON"),
        document("[]", "JSON"),
        document("{}\n", "JSON"),
        document("[[1,2],[3,4]]", "JSON"),
        document("[\"id\",\"name\"]\n[1,\"a\"]\n", "JSON"),
        document("{\"" + "\\\"x".repeat(1_000) + "\": 1}", "JSON"));
  }

  @ParameterizedTest
  @MethodSource("others")
  void isRefusedByName(Kind kind) {
    for (Charset charset : List.of(StandardCharsets.UTF_8, StandardCharsets.ISO_8859_1)) {
      assertThatThrownBy(
              () ->
                  CsvReader.open(
                      new ByteArrayInputStream(kind.content()),
                      CsvFormat.DEFAULT.withCharset(charset)))
          .isInstanceOfSatisfying(
              CaravanException.class, e -> assertThat(e.code()).isEqualTo(kind.code()))
          .hasMessageStartingWith("The file is no CSV but " + kind.what());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE"})
  void aPageIsTheSameInEveryEncoding(String name) {
    Charset charset = Charset.forName(name);
    for (String mark : List.of("", "\uFEFF")) {
      byte[] page = (mark + "<html><body>Log in</body></html>").getBytes(charset);
      assertThatThrownBy(
              () ->
                  CsvReader.open(
                      new ByteArrayInputStream(page), CsvFormat.DEFAULT.withCharset(charset)))
          .hasMessageContaining("a web page");
    }
  }

  /** What looks like another kind at first sight is a legal header. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "PK,name",
        "PK",
        "BZh,name",
        "7z,name",
        "Rar!,x",
        "PAR1,PAR2",
        "%PDF,x",
        "<DATE>,<OPEN>,<CLOSE>",
        "<html>,<body>",
        "[id],[name]",
        "[1],[2]",
        "{id},{name}",
        "{},x",
        "Obj,Klasse",
        "JSON,XML",
        "\u00FD,x"
      })
  void aHeaderMayBeginWithNearlyAnything(String header) throws IOException {
    byte[] csv = (header + "\n1,2\n").getBytes(StandardCharsets.UTF_8);
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(csv), CsvFormat.DEFAULT)) {
      assertThat(reader.columns()).containsExactly(header.split(","));
    }
  }

  /** A line in front of the header is not looked at, unless it is none of a CSV file. */
  @ParameterizedTest
  @ValueSource(strings = {"{\"made\": \"by x\"}", "[\"a\"]"})
  void jsonMayStandInFrontOfTheHeader(String line) throws IOException {
    byte[] csv = (line + "\nid,name\n1,2\n").getBytes(StandardCharsets.UTF_8);
    CsvFormat format = CsvFormat.DEFAULT.withSkipLines(1);
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(csv), format)) {
      assertThat(reader.columns()).containsExactly("id", "name");
    }
    byte[] page = "<!DOCTYPE html>\n<html>\n".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> CsvReader.open(new ByteArrayInputStream(page), format))
        .hasMessageContaining("a web page");
  }
}
