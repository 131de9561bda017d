package dev.caravan.cli;

import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How a CSV file seems to be written.
 *
 * @param encoding a guess: UTF-8 when its beginning is, else Latin-1
 * @param delimiter the one that gives most columns
 */
record SampleCsv(String fileName, String encoding, char delimiter, List<String> columns) {

  private static final int LOOKED_AT = 1 << 16;
  private static final List<Character> DELIMITERS = List.of(',', ';', '\t', '|');

  /**
   * Looks into a file.
   *
   * @throws dev.caravan.failure.CaravanException when it has no header that could be loaded
   */
  static SampleCsv of(Path file) {
    byte[] head;
    try (InputStream in = Files.newInputStream(file)) {
      head = in.readNBytes(LOOKED_AT);
    } catch (IOException e) {
      throw new CallFailed(CallFailed.Kind.REFUSED, "The sample cannot be read: " + e);
    }
    boolean utf8 = isUtf8(head);
    Charset charset = utf8 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
    char delimiter = delimiter(new String(head, charset));
    return new SampleCsv(
        file.getFileName().toString(),
        utf8 ? "utf-8" : "latin-1",
        delimiter,
        columns(head, CsvFormat.DEFAULT.withCharset(charset).withDelimiter(delimiter)));
  }

  /** The last character may be cut off. */
  private static boolean isUtf8(byte[] head) {
    CoderResult result =
        StandardCharsets.UTF_8
            .newDecoder()
            .decode(ByteBuffer.wrap(head), CharBuffer.allocate(head.length), false);
    return !result.isError();
  }

  private static char delimiter(String head) {
    String header = head.lines().findFirst().orElse("");
    char best = DELIMITERS.get(0);
    for (char candidate : DELIMITERS) {
      best = count(header, candidate) > count(header, best) ? candidate : best;
    }
    return best;
  }

  private static long count(String text, char c) {
    return text.chars().filter(x -> x == c).count();
  }

  private static List<String> columns(byte[] head, CsvFormat format) {
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(head), format)) {
      return reader.columns();
    } catch (IOException e) {
      throw new IllegalStateException("bytes in memory", e);
    }
  }

  /** The column called id, else the first one: a proposal. */
  String likelyKey() {
    return columns.stream().filter("id"::equalsIgnoreCase).findFirst().orElse(columns.get(0));
  }
}
