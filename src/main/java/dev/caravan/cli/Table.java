package dev.caravan.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Columns of text, cut where they are too long; those of numbers are aligned to the right. */
final class Table {

  private static final int MAX_WIDTH = 60;

  private final List<List<String>> rows = new ArrayList<>();

  private final boolean lastIsWhole;

  /** One whose last column, most often a reason, is never cut. */
  Table(String... header) {
    lastIsWhole = true;
    rows.add(List.of(header));
  }

  /** One of values. */
  Table(List<String> header) {
    lastIsWhole = false;
    add(header);
  }

  void add(String... cells) {
    add(Arrays.asList(cells));
  }

  void add(List<String> cells) {
    List<String> row = new ArrayList<>();
    for (String cell : cells) {
      String text = Terminal.plain(cell).replaceAll("[\n\t]", " ");
      boolean whole = lastIsWhole && row.size() == cells.size() - 1;
      row.add(whole || text.length() <= MAX_WIDTH ? text : text.substring(0, MAX_WIDTH - 1) + "…");
    }
    rows.add(row);
  }

  void print(PrintWriter out) {
    int columns = rows.get(0).size();
    int[] widths = new int[columns];
    boolean[] numbers = new boolean[columns];
    for (int i = 0; i < columns; i++) {
      int column = i;
      widths[i] = rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
      numbers[i] =
          rows.size() > 1
              && rows.stream().skip(1).allMatch(row -> row.get(column).matches("[0-9]*"));
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String padding = " ".repeat(widths[i] - row.get(i).length());
        line.append(i == 0 ? "" : "  ")
            .append(numbers[i] ? padding + row.get(i) : row.get(i) + padding);
      }
      out.println(line.toString().stripTrailing());
    }
  }
}
