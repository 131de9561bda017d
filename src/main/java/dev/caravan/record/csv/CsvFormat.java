package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * How a CSV file is written. Quotes are {@code "}, a quote inside quotes is doubled (RFC 4180);
 * lines end with LF or CRLF, also mixed.
 *
 * @param delimiter one ASCII character between the fields
 * @param charset the encoding of the file
 * @param skipLines lines before the header
 * @param trailer first field of the last record, whose second field is the number of data records
 * @param nullWords unquoted words that mean NULL, beside the empty field
 * @param maxFieldBytes a larger field is refused with its record
 * @param maxRecordBytes a larger record fails the load: the file has lost its line ends or a quote
 * @param plausibility what happens when the text can be read but hardly be meant so
 * @param emptyFiles what happens with a file without records
 */
public record CsvFormat(
    char delimiter,
    Charset charset,
    long skipLines,
    Optional<String> trailer,
    List<String> nullWords,
    int maxFieldBytes,
    int maxRecordBytes,
    Plausibility plausibility,
    EmptyFiles emptyFiles) {

  /** Comma, UTF-8, the header in the first line; fields of 1 MiB and records of 16 MiB at most. */
  public static final CsvFormat DEFAULT =
      new CsvFormat(
          ',',
          StandardCharsets.UTF_8,
          0,
          Optional.empty(),
          List.of(),
          1 << 20,
          16 << 20,
          Plausibility.WARN,
          EmptyFiles.FAIL);

  public CsvFormat {
    if (!isDelimiter(delimiter)) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "delimiter: found %s; allowed is one ASCII character other than a letter, a digit, a"
                  .formatted(
                      delimiter < ' ' ? "character " + (int) delimiter : "'" + delimiter + "'")
              + " quote, a backslash or a line end");
    }
    nullWords = List.copyOf(nullWords);
  }

  /** True for a character that can stand between fields without being mistaken for data. */
  public static boolean isDelimiter(char c) {
    return c > 0
        && c < 128
        && c != '"'
        && c != '\\'
        && c != '\n'
        && c != '\r'
        && !Character.isLetterOrDigit(c);
  }

  /** The same with another delimiter. */
  public CsvFormat withDelimiter(char other) {
    return new CsvFormat(
        other,
        charset,
        skipLines,
        trailer,
        nullWords,
        maxFieldBytes,
        maxRecordBytes,
        plausibility,
        emptyFiles);
  }

  /** The same with another encoding. */
  public CsvFormat withCharset(Charset other) {
    return new CsvFormat(
        delimiter,
        other,
        skipLines,
        trailer,
        nullWords,
        maxFieldBytes,
        maxRecordBytes,
        plausibility,
        emptyFiles);
  }

  /** The same with other lines to skip. */
  public CsvFormat withSkipLines(long other) {
    return new CsvFormat(
        delimiter,
        charset,
        other,
        trailer,
        nullWords,
        maxFieldBytes,
        maxRecordBytes,
        plausibility,
        emptyFiles);
  }

  /** The same with a trailer; see {@link #trailer()}. */
  public CsvFormat withTrailer(Optional<String> other) {
    return new CsvFormat(
        delimiter,
        charset,
        skipLines,
        other,
        nullWords,
        maxFieldBytes,
        maxRecordBytes,
        plausibility,
        emptyFiles);
  }

  /** The same with another plausibility. */
  public CsvFormat withPlausibility(Plausibility other) {
    return new CsvFormat(
        delimiter,
        charset,
        skipLines,
        trailer,
        nullWords,
        maxFieldBytes,
        maxRecordBytes,
        other,
        emptyFiles);
  }

  /** The same with other rules for files without records. */
  public CsvFormat withEmptyFiles(EmptyFiles other) {
    return new CsvFormat(
        delimiter,
        charset,
        skipLines,
        trailer,
        nullWords,
        maxFieldBytes,
        maxRecordBytes,
        plausibility,
        other);
  }

  /** The same with other null words. */
  public CsvFormat withNullWords(List<String> other) {
    return new CsvFormat(
        delimiter,
        charset,
        skipLines,
        trailer,
        other,
        maxFieldBytes,
        maxRecordBytes,
        plausibility,
        emptyFiles);
  }
}
