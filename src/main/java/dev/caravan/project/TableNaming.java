package dev.caravan.project;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/** How the name of a table is made from the name of a file. */
public record TableNaming(String stripPrefix, String stripSuffix, boolean lowercase) {

  /** What PostgreSQL keeps of a name; it cuts off the rest without a word. */
  static final int MAX_NAME_BYTES = 63;

  /** The same as the schema's pattern for table names that users write. */
  static final Pattern TABLE_NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_$ -]*");

  String tableNameFor(FileName file) {
    // Macs send ä as a and two dots; composed, it is the letter that the same name has elsewhere.
    String name = Normalizer.normalize(strip(file.stem()), Normalizer.Form.NFC);
    if (lowercase) {
      name = name.toLowerCase(Locale.ROOT);
    }
    requireTableName(name, file);
    return name;
  }

  private String strip(String stem) {
    String name = stem.startsWith(stripPrefix) ? stem.substring(stripPrefix.length()) : stem;
    return name.endsWith(stripSuffix)
        ? name.substring(0, name.length() - stripSuffix.length())
        : name;
  }

  private static void requireTableName(String name, FileName file) {
    if (!TABLE_NAME.matcher(name).matches()) {
      throw new CaravanException(
          FailureCode.BAD_NAME,
          "No table can be named after file %s: %s is no table name, which is a letter or _ and then letters, digits, _, $, - or spaces. Rename the file, or give it an entry in tables with a target_table."
              .formatted(file, Printable.quoted(name)));
    }
    int bytes = name.getBytes(UTF_8).length;
    if (bytes > MAX_NAME_BYTES) {
      throw new CaravanException(
          FailureCode.NAME_TOO_LONG,
          "No table can be named after file %s: %s has %d bytes in UTF-8, and PostgreSQL keeps %d. Rename the file, or give it an entry in tables with a target_table."
              .formatted(file, Printable.quoted(name), bytes, MAX_NAME_BYTES));
    }
  }
}
