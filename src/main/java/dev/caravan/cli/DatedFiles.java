package dev.caravan.cli;

import java.nio.file.Path;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Files of which there is one for each day: {@code exports/sales_{yyyy-MM-dd}.csv}. */
record DatedFiles(String before, DateTimeFormatter date, String after) {

  private static final Pattern PLACE = Pattern.compile("([^{}]*)\\{([^{}]+)}([^{}]*)");

  /**
   * Reads the pattern.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static DatedFiles of(String pattern) {
    Matcher place = PLACE.matcher(pattern);
    if (!place.matches() || !isDate(place.group(2))) {
      throw new IllegalArgumentException(
          "found '%s'; allowed is a path with one place for the date, of yyyy, MM and dd, such as exports/sales_{yyyy-MM-dd}.csv"
              .formatted(pattern));
    }
    return new DatedFiles(
        place.group(1), DateTimeFormatter.ofPattern(place.group(2), Locale.ROOT), place.group(3));
  }

  private static boolean isDate(String format) {
    return format.replaceAll("yyyy|MM|dd", "").matches("[-_. ]*")
        && format.contains("yyyy")
        && format.contains("MM")
        && format.contains("dd");
  }

  Path of(LocalDate day) {
    return Path.of(before + date.format(day) + after);
  }
}
