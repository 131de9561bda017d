package dev.caravan.record.json;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where the records of a JSON document stand: the pointer of an array of objects, such as {@code
 * /data}; or with stars, each for every member of an object or array, such as <code>
 * /series/*&#47;observations/*</code>. What the stars stand for comes into the record as {@code
 * *1}, {@code *2} and so on; what is no object is the record's {@code value}.
 *
 * @param steps from the root to a record, {@code *} for any
 * @param stars whether the text has them; without, the last step is any element of an array
 */
public record RecordPath(List<String> steps, boolean stars) {

  private static final String EVERY = "*";

  /**
   * The path of a pointer.
   *
   * @param pointer beginning with a slash, or empty for the document itself
   */
  public static RecordPath of(String pointer) {
    List<String> steps = new ArrayList<>();
    if (pointer.length() > 1) {
      Arrays.stream(pointer.substring(1).split("/", -1))
          .map(step -> step.replace("~1", "/").replace("~0", "~"))
          .forEach(steps::add);
    }
    boolean stars = steps.contains(EVERY);
    if (steps.isEmpty() || !steps.get(steps.size() - 1).equals(EVERY)) {
      steps.add(EVERY);
    }
    return new RecordPath(List.copyOf(steps), stars);
  }

  boolean isEvery(int step) {
    return steps.get(step).equals(EVERY);
  }

  boolean matches(int step, String key) {
    return step < steps.size() && (isEvery(step) || steps.get(step).equals(key));
  }

  /** True when a record has the key that stands for this step. */
  boolean isNamed(int step) {
    return stars && step >= 0 && step < steps.size() && isEvery(step);
  }

  /** True when what the first so many steps lead to is to be an array of records. */
  boolean needsArray(int matched) {
    return !stars && matched == steps.size() - 1;
  }
}
