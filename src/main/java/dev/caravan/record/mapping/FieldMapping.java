package dev.caravan.record.mapping;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.MapRecords;
import dev.caravan.record.mapping.ColumnRule.FromField;
import dev.caravan.record.mapping.ColumnRule.FromParameter;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** All rules of one mapping; may be used by several jobs at once. */
public final class FieldMapping {

  private final List<ColumnRule> rules;

  /**
   * @param rules one for each column of the target, at least one
   */
  public FieldMapping(List<ColumnRule> rules) {
    this.rules = List.copyOf(rules);
  }

  /** The fields of the source that are read, each once, in the order of the rules. */
  public List<String> fields() {
    return paths().map(FieldPath::text).toList();
  }

  Stream<FieldPath> paths() {
    return rules.stream().flatMap(rule -> rule.paths().stream()).distinct();
  }

  /** The columns of the target. */
  public List<String> columns() {
    return rules.stream().map(ColumnRule::column).toList();
  }

  /** The field that a column takes its value from; empty when it takes none, or several. */
  public Optional<String> fieldOf(String column) {
    return rules.stream()
        .filter(rule -> rule instanceof FromField && rule.column().equals(column))
        .map(rule -> rule.paths().get(0).text())
        .findFirst();
  }

  /**
   * The records as the target has them, one pulled for one.
   *
   * @param records closed with the result when they can be closed
   * @param parameters of the job
   * @throws CaravanException CONFIG_INVALID when a parameter is missing; when the last record was
   *     read, HEADER_MISMATCH if a field was in none of them
   */
  public MapRecords apply(Iterator<Map<String, ?>> records, Map<String, ?> parameters) {
    for (ColumnRule rule : rules) {
      if (rule instanceof FromParameter needed && parameters.get(needed.parameter()) == null) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "The column '%s' takes the parameter '%s' of the job, which was not given; given are: %s."
                .formatted(
                    needed.column(), needed.parameter(), String.join(", ", parameters.keySet())));
      }
    }
    return new MappedRecords(this, records, parameters);
  }

  List<ColumnRule> rules() {
    return rules;
  }
}
