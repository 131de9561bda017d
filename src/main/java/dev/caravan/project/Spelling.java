package dev.caravan.project;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Guesses which key was meant. */
final class Spelling {

  private static final int MAX_TYPOS = 2;

  private Spelling() {}

  /** The key that differs from {@code written} by few letters; primaryKey is primary_key. */
  static Optional<String> closest(String written, Collection<String> keys) {
    String plain = plain(written);
    return keys.stream()
        .filter(key -> typos(plain, plain(key)) <= Math.min(MAX_TYPOS, key.length() / 3))
        .min(Comparator.comparingInt(key -> typos(plain, plain(key))));
  }

  private static String plain(String key) {
    return key.toLowerCase(Locale.ROOT).replaceAll("[ _-]", "");
  }

  /** Letters to add, drop or change (Levenshtein); too many where the lengths already tell. */
  private static int typos(String a, String b) {
    if (Math.abs(a.length() - b.length()) > MAX_TYPOS) {
      return MAX_TYPOS + 1;
    }
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
