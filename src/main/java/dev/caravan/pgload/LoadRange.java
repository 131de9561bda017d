package dev.caravan.pgload;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.Optional;

/**
 * The part of the target that {@link LoadMode#REPLACE_RANGE} replaces as a whole. With bounds: the
 * rows with {@code from <= column < to}, as the column's type orders them; a record outside is
 * refused. Without: the rows with one of the values that the source has in the column, such as the
 * months of a file.
 *
 * @param column of the target; a record without a value in it is refused
 * @param from the first value of the range
 * @param to the first value behind the range
 */
public record LoadRange(String column, Optional<String> from, Optional<String> to) {

  public LoadRange {
    if (from.isPresent() != to.isPresent()) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "The range of column '%s' has one bound: %s; allowed are two, or none."
              .formatted(column, from.or(() -> to).orElseThrow()));
    }
  }

  /** True when the bounds, not the records, say what is replaced. */
  boolean isBounded() {
    return from.isPresent();
  }
}
