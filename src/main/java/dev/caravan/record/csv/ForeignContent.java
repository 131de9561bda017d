package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What is certainly no CSV, by its first bytes, whatever its name says. A header may begin with
 * nearly anything ({@code PK}, {@code <DATE>}, {@code [id]}), so that only whole signatures count.
 */
final class ForeignContent {

  private static final String UNPACK =
      "Unpack it first; of packed files gzip and zip archives of one file are read.";
  private static final String EXPORT = "Export it as CSV.";
  private static final String PAGE =
      "Most often a server gave an error page, or its login, in the place of the file.";

  /** Bytes at the very beginning, one char each. */
  private record Signature(String bytes, FailureCode code, String what, String remedy) {}

  private static Signature archive(String bytes, String what) {
    return new Signature(bytes, FailureCode.ARCHIVE, what, UNPACK);
  }

  private static Signature document(String bytes, String what) {
    return new Signature(bytes, FailureCode.NOT_CSV, what, EXPORT);
  }

  private static final List<Signature> SIGNATURES =
      List.of(
          document(
              "\u00D0\u00CF\u0011\u00E0\u00A1\u00B1\u001A\u00E1",
              "an old Excel workbook (.xls) or another Office document, or one with a password"),
          archive("PK\u0003\u0004", "a zip archive inside of another file"),
          archive("PK\u0005\u0006", "an empty zip archive"),
          archive("PK\u0007\u0008", "a zip archive in several parts"),
          archive("\u001F\u008B", "a gzip file inside of another"),
          archive("\u001F\u009D", "a file packed by compress (.Z)"),
          archive("\u00FD7zXZ\0", "an xz file"),
          archive("7z\u00BC\u00AF'\u001C", "a 7z archive"),
          archive("(\u00B5/\u00FD", "a zstd file"),
          archive("\u0004\"M\u0018", "an lz4 file"),
          archive("Rar!\u001A\u0007", "a rar archive"),
          document("%PDF-", "a PDF"),
          document("%!PS-Adobe", "a PostScript file"),
          document("{\\rtf1", "an RTF document"),
          document("SQLite format 3\0", "an SQLite database"),
          document("PAR1\u0015", "a Parquet file"),
          document("Obj\u0001", "an Avro file"),
          document("ARROW1\0\0", "an Arrow file"),
          document("\u0089PNG\r\n\u001A\n", "a picture (PNG)"),
          document("\u00FF\u00D8\u00FF", "a picture (JPEG)"));

  private static final Pattern BZIP2 = Pattern.compile("BZh[1-9]1AY&SY");

  private static final Pattern XML = Pattern.compile("<\\?xml\\s", Pattern.CASE_INSENSITIVE);

  private static final Pattern HTML =
      Pattern.compile(
          "(?:<!--.*?-->\\s*)*<(?:!doctype\\s|(?:html|head|body)(?:\\s[^<>]*)?>(?! *[,;|\\t]))",
          Pattern.DOTALL | Pattern.CASE_INSENSITIVE);

  /** A tag with another one behind it; in a header a delimiter stands between such names. */
  private static final Pattern TAGS =
      Pattern.compile(
          "<[a-z][\\w:.-]*(?:\\s+[\\w:.-]+\\s*=\\s*(?:\"[^\"]*\"|'[^']*'))*\\s*>\\s*</?[a-z!]",
          Pattern.CASE_INSENSITIVE);

  private static final String TEXT = "\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"";

  private static final Pattern JSON =
      Pattern.compile(
          "\\{\\s*(?:%1$s\\s*:|\\}\\s*\\z)|\\[\\s*(?:\\{\\s*[\"}]|\\[|%1$s\\s*[,\\]]|\\]\\s*\\z)"
              .formatted(TEXT),
          Pattern.DOTALL);

  private static final int SHOWN = 60;

  private ForeignContent() {}

  /**
   * Refuses bytes that are no text.
   *
   * @param head the first bytes of the file
   * @throws CaravanException ARCHIVE or NOT_CSV
   */
  static void refuseSignatures(byte[] head) {
    String bytes = new String(head, StandardCharsets.ISO_8859_1);
    for (Signature known : SIGNATURES) {
      if (bytes.startsWith(known.bytes())) {
        throw known.bytes().startsWith("PK\u0003") ? zip(bytes, known) : refused(known);
      }
    }
    if (BZIP2.matcher(bytes).lookingAt()) {
      throw refused(archive("", "a bzip2 file"));
    }
    if (bytes.startsWith("ustar\0", 257) || bytes.startsWith("ustar  \0", 257)) {
      throw refused(archive("", "a tar archive"));
    }
  }

  /** Office documents are zip archives; the names of their first parts tell which. */
  private static CaravanException zip(String bytes, Signature plain) {
    if (bytes.contains("xl/") || bytes.contains("[Content_Types].xml")) {
      return refused(document("", "an Excel workbook (.xlsx) or another Office document"));
    }
    if (bytes.contains("mimetypeapplication/vnd.oasis.opendocument.")) {
      return refused(document("", "an OpenDocument file such as .ods"));
    }
    return refused(plain);
  }

  /**
   * Refuses text that is no CSV.
   *
   * @param text the beginning of the file
   * @param first whether the header is the first line; else JSON may stand in front of it
   * @throws CaravanException NOT_CSV
   */
  static void refuseMarkup(String text, boolean first) {
    String start = text.stripLeading();
    String what = null;
    if (HTML.matcher(start).lookingAt()) {
      what = "a web page. " + PAGE;
    } else if (XML.matcher(start).lookingAt() || TAGS.matcher(start).lookingAt()) {
      what = "an XML document. " + EXPORT;
    } else if (first && JSON.matcher(start).lookingAt()) {
      what = "JSON. " + EXPORT;
    }
    if (what != null) {
      throw new CaravanException(
          FailureCode.NOT_CSV,
          "The file is no CSV but %s It begins: %s"
              .formatted(
                  what,
                  start
                      .substring(0, Math.min(SHOWN, start.length()))
                      .replaceAll("[\\s\\p{Cntrl}]+", " ")));
    }
  }

  private static CaravanException refused(Signature known) {
    return new CaravanException(
        known.code(), "The file is no CSV but %s. %s".formatted(known.what(), known.remedy()));
  }
}
