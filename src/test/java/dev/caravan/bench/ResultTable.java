package dev.caravan.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Times by case and contestant; the first contestant of a case is what the others are held to. */
final class ResultTable {

  private final Map<String, Map<String, Times>> cases = new LinkedHashMap<>();

  private static final class Times {
    private final List<Double> seconds = new ArrayList<>();
    private long peakMebibytes;
  }

  void add(String what, String contestant, Duration elapsed, long peakMebibytes) {
    Times times =
        cases
            .computeIfAbsent(what, x -> new LinkedHashMap<>())
            .computeIfAbsent(contestant, x -> new Times());
    times.seconds.add(elapsed.toNanos() / 1e9);
    times.peakMebibytes = Math.max(times.peakMebibytes, peakMebibytes);
  }

  /** Medians; a ratio is the median of the ratios of the runs, each to psql's run beside it. */
  String markdown() {
    StringBuilder out = new StringBuilder();
    out.append(
        "| case | contestant | seconds | ratio to psql | lowest to highest | peak RSS MiB |\n");
    out.append("| --- | --- | --- | --- | --- | --- |\n");
    cases.forEach(
        (what, contestants) ->
            contestants.forEach(
                (name, times) -> out.append(row(what, name, times, contestants.get("psql")))));
    return out.toString();
  }

  private static String row(String what, String name, Times times, Times psql) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; psql != null && i < times.seconds.size(); i++) {
      ratios.add(times.seconds.get(i) / psql.seconds.get(i));
    }
    return String.format(
        Locale.ROOT,
        "| %s | %s | %.2f | %s | %.2f to %.2f | %s |%n",
        what,
        name,
        median(times.seconds),
        ratios.isEmpty() ? "" : String.format(Locale.ROOT, "%.2f", median(ratios)),
        Collections.min(times.seconds),
        Collections.max(times.seconds),
        name.equals("psql") ? "" : times.peakMebibytes);
  }

  private static double median(List<Double> numbers) {
    List<Double> sorted = numbers.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
