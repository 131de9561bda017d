package dev.caravan.source.tableau;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import dev.caravan.record.mapping.FieldMapping;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Route step: the body becomes a query for one year of a data source, with the fields that a
 * mapping reads. The job's parameters give the {@code year} and further {@code filters}: a column
 * of the mapping, or a field of the source, and the value or the list of values that it has.
 */
public final class TableauQuery implements Processor {

  /** Exchange property: the parameters of the job, by name. */
  static final String PARAMETERS = "CaravanParameters";

  private static final int FIRST_YEAR = 1900;
  private static final int LAST_YEAR = 2999;

  /** How the field that tells the year is kept in Tableau. */
  public enum YearField {
    /** A text that begins with the year, such as 20250131. */
    TEXT,
    /** A date. */
    DATE
  }

  private FieldMapping mapping;
  private String datasource = "";
  private String yearField = "";
  private YearField yearFieldIs = YearField.TEXT;

  /** The fields to ask for, and what columns callers may filter by. */
  public void setMapping(FieldMapping mapping) {
    this.mapping = mapping;
  }

  /** LUID of the data source. */
  public void setDatasource(String datasource) {
    this.datasource = datasource;
  }

  /** The field that tells the year. */
  public void setYearField(String yearField) {
    this.yearField = yearField;
  }

  /** How that field is kept in Tableau. */
  public void setYearFieldIs(YearField yearFieldIs) {
    this.yearFieldIs = yearFieldIs;
  }

  @Override
  public void process(Exchange exchange) {
    if (datasource.isBlank()) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "Cannot ask Tableau: no data source is set; allowed is the LUID of one.");
    }
    Map<?, ?> parameters = exchange.getProperty(PARAMETERS, Map.of(), Map.class);
    List<Map<String, Object>> fields =
        mapping.fields().stream().map(f -> Map.<String, Object>of("fieldCaption", f)).toList();
    exchange
        .getMessage()
        .setBody(
            TableauJson.text(
                Map.of(
                    "datasource", Map.of("datasourceLuid", datasource),
                    "query", Map.of("fields", fields, "filters", filters(parameters)),
                    // a row for each flight; otherwise Tableau would add up what looks alike
                    "options", Map.of("returnFormat", "OBJECTS", "disaggregate", true))));
  }

  private List<Map<String, Object>> filters(Map<?, ?> parameters) {
    Map<String, Map<String, Object>> byField = new LinkedHashMap<>();
    byField.put(yearField, yearFilter(year(parameters.get("year"))));
    if (parameters.get("filters") instanceof Map<?, ?> filters) {
      filters.forEach(
          (name, wanted) -> {
            String field = field(String.valueOf(name));
            if (byField.put(field, setFilter(field, String.valueOf(name), wanted)) != null) {
              throw invalid(
                  InvalidParameter.pointer("filters", name),
                  "a second filter on the field '%s'".formatted(field),
                  "one filter for each field; the year is one, too");
            }
          });
    }
    return List.copyOf(byField.values());
  }

  private static int year(Object year) {
    String text = String.valueOf(year);
    int number = text.matches("[0-9]{4}") ? Integer.parseInt(text) : 0;
    if (number < FIRST_YEAR || number > LAST_YEAR) {
      throw invalid("/year", text, "a year from %d to %d".formatted(FIRST_YEAR, LAST_YEAR));
    }
    return number;
  }

  private Map<String, Object> yearFilter(int year) {
    Map<String, Object> field = Map.of("fieldCaption", yearField);
    return switch (yearFieldIs) {
      case TEXT ->
          Map.of("field", field, "filterType", "MATCH", "startsWith", String.valueOf(year));
      case DATE ->
          Map.of(
              "field",
              field,
              "filterType",
              "QUANTITATIVE_DATE",
              "quantitativeFilterType",
              "RANGE",
              "minDate",
              year + "-01-01",
              "maxDate",
              year + "-12-31");
    };
  }

  private String field(String name) {
    return mapping
        .fieldOf(name)
        .or(() -> mapping.fields().stream().filter(name::equals).findFirst())
        .orElseThrow(
            () ->
                invalid(
                    InvalidParameter.pointer("filters", name),
                    name,
                    "a column that takes its value from a field: "
                        + String.join(
                            ", ",
                            mapping.columns().stream()
                                .filter(c -> mapping.fieldOf(c).isPresent())
                                .toList())));
  }

  private static Map<String, Object> setFilter(String field, String name, Object wanted) {
    List<Object> values = new ArrayList<>(wanted instanceof List<?> list ? list : List.of());
    if (!(wanted instanceof List) && wanted != null) {
      values.add(wanted);
    }
    boolean plain =
        values.stream()
            .allMatch(v -> v instanceof String || v instanceof Number || v instanceof Boolean);
    if (values.isEmpty() || !plain) {
      throw invalid(
          InvalidParameter.pointer("filters", name),
          String.valueOf(wanted),
          "a value or a list of values");
    }
    return Map.of("field", Map.of("fieldCaption", field), "filterType", "SET", "values", values);
  }

  private static InvalidParameter invalid(String pointer, String found, String allowed) {
    return new InvalidParameter(
        FailureCode.CONFIG_INVALID,
        pointer,
        "found '%s'; allowed is %s.".formatted(found, allowed));
  }
}
