package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.ShownName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a header must be: names that can be told apart. */
final class CsvHeader {

  /** A PostgreSQL table has 1,600 columns at most; the staging table needs one for the line. */
  static final int MAX_COLUMNS = 1_599;

  private static final String OTHER_DELIMITERS = ";,|\t";

  private CsvHeader() {}

  static void checkCount(int columns) {
    if (columns > MAX_COLUMNS) {
      throw new CaravanException(
          FailureCode.TOO_MANY_COLUMNS,
          "The header has %d columns; allowed are %d.".formatted(columns, MAX_COLUMNS));
    }
  }

  /**
   * The names, which must be there and differ. Whether a table can have them is asked when they are
   * mapped: positions in messages count from 1.
   */
  static List<String> check(List<String> names) {
    Map<String, Integer> positions = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      if (names.get(i).isEmpty()) {
        throw new CaravanException(
            FailureCode.EMPTY_HEADER, "Column %d of the header has no name.".formatted(i + 1));
      }
      Integer before = positions.put(names.get(i), i + 1);
      if (before != null) {
        throw new CaravanException(
            FailureCode.DUPLICATE_HEADER,
            "Columns %d and %d of the header are both named '%s' (outer blanks do not count)."
                .formatted(before, i + 1, ShownName.of(names.get(i))));
      }
    }
    return List.copyOf(names);
  }

  /** Guesses the delimiter of a header that came out as one column. */
  static String delimiterHint(List<String> names, char delimiter) {
    if (names.size() != 1) {
      return "";
    }
    int best = -1;
    long most = 0;
    for (int i = 0; i < OTHER_DELIMITERS.length(); i++) {
      char c = OTHER_DELIMITERS.charAt(i);
      long n = names.get(0).chars().filter(x -> x == c).count();
      if (c != delimiter && n > most) {
        most = n;
        best = c;
      }
    }
    if (best < 0) {
      return "";
    }
    return " The header is one column; the file looks like its delimiter is %s, configured is %s."
        .formatted(shown((char) best), shown(delimiter));
  }

  static String shown(char c) {
    return c == '\t' ? "tab" : "'" + c + "'";
  }
}
