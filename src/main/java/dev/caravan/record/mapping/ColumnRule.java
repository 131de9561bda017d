package dev.caravan.record.mapping;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** How one column gets its value. */
public sealed interface ColumnRule {

  /** The column of the target. */
  String column();

  /** The fields of the source that it reads. */
  default List<String> fields() {
    return List.of();
  }

  /** The value for one record; null for none. */
  Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities);

  /** The value of a field, converted. */
  record FromField(String column, String field, Conversion conversion) implements ColumnRule {

    @Override
    public List<String> fields() {
      return List.of(field);
    }

    @Override
    public Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities) {
      return conversion.convert(record.get(field), what -> oddities.add(field, what));
    }
  }

  /**
   * Several fields as one text with a bar between them: a key for sources that have none, also
   * where some of the fields are empty.
   */
  record Joined(String column, List<String> fields) implements ColumnRule {

    public Joined {
      fields = List.copyOf(fields);
    }

    @Override
    public Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities) {
      return fields.stream()
          .map(field -> record.get(field) == null ? "" : Conversion.text(record.get(field)))
          .map(text -> text.replace("\\", "\\\\").replace("|", "\\|")) // a|b and c is not a and b|c
          .collect(Collectors.joining("|"));
    }
  }

  /** What the job was started with, the same for every record. */
  record FromParameter(String column, String parameter) implements ColumnRule {

    @Override
    public Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities) {
      return parameters.get(parameter);
    }
  }

  /** A text that is always the same. */
  record Constant(String column, String text) implements ColumnRule {

    @Override
    public Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities) {
      return text;
    }
  }
}
