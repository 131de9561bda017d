package dev.caravan.record.mapping;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** How one column gets its value. */
public sealed interface ColumnRule {

  /** The column of the target. */
  String column();

  /** The fields of the source that it reads. */
  default List<FieldPath> paths() {
    return List.of();
  }

  /** The value for one record; null for none. */
  Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities);

  /** The value of a field, converted. */
  final class FromField implements ColumnRule {

    private final String column;
    private final FieldPath field;
    private final Conversion conversion;

    /**
     * @param field its name; beginning with a slash, a JSON pointer into nested values
     */
    public FromField(String column, String field, Conversion conversion) {
      this.column = column;
      this.field = FieldPath.of(field);
      this.conversion = conversion;
    }

    @Override
    public String column() {
      return column;
    }

    @Override
    public List<FieldPath> paths() {
      return List.of(field);
    }

    @Override
    public Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities) {
      return conversion.convert(field.value(record), what -> oddities.add(field.text(), what));
    }
  }

  /**
   * Several fields as one text with a bar between them: a key for sources that have none, also
   * where some of the fields are empty.
   */
  final class Joined implements ColumnRule {

    private final String column;
    private final List<FieldPath> fields;

    /**
     * @param fields as for {@link FromField}
     */
    public Joined(String column, List<String> fields) {
      this.column = column;
      this.fields = fields.stream().map(FieldPath::of).toList();
    }

    @Override
    public String column() {
      return column;
    }

    @Override
    public List<FieldPath> paths() {
      return fields;
    }

    @Override
    public Object value(Map<String, ?> record, Map<String, ?> parameters, Oddities oddities) {
      return fields.stream()
          .map(field -> field.value(record))
          .map(value -> value == null ? "" : Conversion.text(value))
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
