package dev.caravan.project;

import dev.caravan.failure.CaravanException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** All that is wrong with one project. At each path the first finding counts. */
final class Problems {

  /** Nobody reads more, and a hostile text must not make the message grow without end. */
  private static final int MAX_SHOWN = 100;

  private final String origin;
  private final Map<KeyPath, String> byPath = new LinkedHashMap<>();

  /**
   * @param origin where the project comes from, most often its file
   */
  Problems(String origin) {
    this.origin = origin;
  }

  /**
   * @param problem what was found and what is allowed; never a secret
   */
  void add(KeyPath path, String problem) {
    byPath.putIfAbsent(path, problem);
  }

  void throwIfAny() {
    if (!byPath.isEmpty()) {
      throw toException();
    }
  }

  CaravanException toException() {
    return new InvalidProject(
        message(),
        byPath.entrySet().stream()
            .limit(MAX_SHOWN)
            .map(
                e ->
                    new InvalidProject.Finding(
                        e.getKey().text(), e.getKey().pointer(), e.getValue()))
            .toList());
  }

  private String message() {
    String lines =
        byPath.entrySet().stream()
            .limit(MAX_SHOWN)
            .map(entry -> line(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining("\n"));
    int hidden = byPath.size() - MAX_SHOWN;
    return hidden > 0 ? lines + "\n%s: and %d more".formatted(origin, hidden) : lines;
  }

  private String line(KeyPath path, String problem) {
    return path.equals(KeyPath.ROOT)
        ? origin + ": " + problem
        : origin + ": " + path.text() + ": " + problem;
  }
}
