package dev.caravan.record.mapping;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Where a value stands in a record: a field by its name, letter by letter; or, beginning with a
 * slash, a JSON pointer (RFC 6901) to a value inside of a nested one, such as {@code /country/id}.
 */
record FieldPath(String text, List<String> steps) {

  /** What stands instead of a value where there is nothing, not even null. */
  private static final Object MISSING = new Object();

  static FieldPath of(String text) {
    return new FieldPath(
        text,
        text.startsWith("/")
            ? Arrays.stream(text.substring(1).split("/", -1))
                .map(step -> step.replace("~1", "/").replace("~0", "~"))
                .toList()
            : List.of(text));
  }

  /** The value; null also when there is none. */
  Object value(Map<String, ?> record) {
    Object found = find(record);
    return found == MISSING ? null : found;
  }

  /** True when the record has such a value, be it null. */
  boolean isIn(Map<String, ?> record) {
    return find(record) != MISSING;
  }

  private Object find(Map<String, ?> record) {
    Object found = record;
    for (String step : steps) {
      found = below(found, step);
    }
    return found;
  }

  private static Object below(Object value, String step) {
    if (value instanceof Map<?, ?> map) {
      Object member = map.get(step);
      return member != null || map.containsKey(step) ? member : MISSING;
    }
    if (value instanceof List<?> list && step.matches("0|[1-9][0-9]{0,8}")) {
      int index = Integer.parseInt(step);
      return index < list.size() ? list.get(index) : MISSING;
    }
    return value == null ? null : MISSING; // nothing is known below a null
  }
}
