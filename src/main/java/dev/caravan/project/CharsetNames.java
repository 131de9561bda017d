package dev.caravan.project;

import java.nio.charset.Charset;
import java.util.Optional;

/** Character encodings by the names that Java and Python give them. */
final class CharsetNames {

  private CharsetNames() {}

  static Optional<Charset> find(String name) {
    // Python writes latin-1 and mac_roman for what Java calls latin1 and macroman.
    return lookUp(name).or(() -> lookUp(name.replaceAll("[_-]", "")));
  }

  private static Optional<Charset> lookUp(String name) {
    try {
      return Optional.of(Charset.forName(name));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
