package dev.caravan.bench;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a generated file looks like.
 *
 * @param rows without the header
 * @param columns with the key, which is the first and is called {@code id}
 */
record Shape(String name, long rows, int columns, char delimiter, Charset charset) {

  /** About 98 MB. */
  static final Shape WIDE = new Shape("wide", 65_000, 120, '|', StandardCharsets.ISO_8859_1);

  /** About 111 MB. */
  static final Shape NARROW = new Shape("narrow", 1_250_000, 8, ';', StandardCharsets.UTF_8);

  /** Four times as long. */
  static final Shape LONG = new Shape("long", 5_000_000, 8, ';', StandardCharsets.UTF_8);

  static Shape named(String name) {
    return switch (name) {
      case "wide" -> WIDE;
      case "narrow" -> NARROW;
      case "long" -> LONG;
      default ->
          throw new IllegalArgumentException(
              "bench.cases: found '" + name + "'; allowed are wide, narrow and long");
    };
  }

  List<String> columnNames() {
    return IntStream.range(0, columns).mapToObj(i -> i == 0 ? "id" : "c" + i).toList();
  }

  /** The statement that every contestant makes sure of the table with. */
  String createTable(String table) {
    return columnNames().stream()
        .map(c -> c + " text")
        .collect(
            Collectors.joining(
                ", ", "CREATE TABLE IF NOT EXISTS " + table + " (", ", PRIMARY KEY (id))"));
  }
}
