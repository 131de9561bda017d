package dev.caravan.record.mapping;

import dev.caravan.record.mapping.Conversion.Oddity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values that were not expected, counted by field and kind, each with its first example. */
final class Oddities {

  private static final int MAX_SHOWN = 40;

  private record Kind(String field, String code) {}

  private static final class Count {
    private final Oddity first;
    private long values;

    Count(Oddity first) {
      this.first = first;
    }
  }

  private final Map<Kind, Count> counts = new LinkedHashMap<>();

  void add(String field, Oddity oddity) {
    counts.computeIfAbsent(new Kind(field, oddity.code()), kind -> new Count(oddity)).values++;
  }

  /** One text for each kind. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    counts.forEach(
        (kind, count) ->
            warnings.add(
                "%s: %d values of '%s', the first of them '%s', became %s"
                    .formatted(
                        kind.code,
                        count.values,
                        kind.field,
                        shown(count.first.value()),
                        count.first.became())));
    return warnings;
  }

  private static String shown(String value) {
    String line = value.replaceAll("\\p{Cntrl}", " ");
    return line.length() > MAX_SHOWN ? line.substring(0, MAX_SHOWN) + "…" : line;
  }
}
