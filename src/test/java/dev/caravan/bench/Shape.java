package dev.caravan.bench;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a generated file looks like.
 *
 * @param rows without the header
 * @param types of the columns of the table; the first is the key and is called {@code id}
 */
record Shape(String name, long rows, List<String> types, char delimiter, Charset charset) {

  private static final String TEXT = "text";

  /** About 98 MB. */
  static final Shape WIDE = new Shape("wide", 65_000, text(120), '|', StandardCharsets.ISO_8859_1);

  /** About 111 MB. */
  static final Shape NARROW = new Shape("narrow", 1_250_000, text(8), ';', StandardCharsets.UTF_8);

  /** Four times as long. */
  static final Shape LONG = new Shape("long", 5_000_000, text(8), ';', StandardCharsets.UTF_8);

  /** About 35 MB, for a table that is there before the load. */
  static final Shape TYPED =
      new Shape(
          "typed",
          500_000,
          List.of("bigint", "date", "timestamptz", "numeric(12,2)", "boolean", TEXT),
          ';',
          StandardCharsets.UTF_8);

  private static List<String> text(int columns) {
    return Collections.nCopies(columns, TEXT);
  }

  static Shape named(String name) {
    return switch (name) {
      case "wide" -> WIDE;
      case "narrow" -> NARROW;
      case "long" -> LONG;
      case "typed" -> TYPED;
      default ->
          throw new IllegalArgumentException(
              "bench.cases: found '" + name + "'; allowed are wide, narrow, long and typed");
    };
  }

  int columns() {
    return types.size();
  }

  /** True for a table that no contestant makes by itself: it has more than text. */
  boolean isTyped() {
    return types.stream().anyMatch(type -> !type.equals(TEXT));
  }

  List<String> columnNames() {
    return IntStream.range(0, columns()).mapToObj(i -> i == 0 ? "id" : "c" + i).toList();
  }

  /** The statement that every contestant makes sure of the table with. */
  String createTable(String table) {
    List<String> names = columnNames();
    return IntStream.range(0, columns())
        .mapToObj(i -> names.get(i) + " " + types.get(i))
        .collect(
            Collectors.joining(
                ", ", "CREATE TABLE IF NOT EXISTS " + table + " (", ", PRIMARY KEY (id))"));
  }
}
