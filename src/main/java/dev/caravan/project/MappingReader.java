package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.record.mapping.ColumnRule;
import dev.caravan.record.mapping.ColumnRule.Constant;
import dev.caravan.record.mapping.ColumnRule.FromField;
import dev.caravan.record.mapping.ColumnRule.FromParameter;
import dev.caravan.record.mapping.ColumnRule.Joined;
import dev.caravan.record.mapping.Conversion;
import dev.caravan.record.mapping.FieldMapping;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads mapping files: YAML, or JSON, in UTF-8, by {@code mapping.schema.json}. */
public final class MappingReader {

  private static final KeyPath COLUMNS = KeyPath.ROOT.key("columns");
  private static final List<String> ORIGINS = List.of("from", "join", "parameter", "constant");
  private static final List<String> CONVERSIONS =
      List.of("date", "words", "true_words", "decimal", "part");
  private static final Map<String, String> NEEDS =
      Map.of("otherwise", "words", "thousands", "decimal", "part", "by", "by", "part");

  private final Problems problems;

  private MappingReader(Problems problems) {
    this.problems = problems;
  }

  /**
   * Reads one file.
   *
   * @throws CaravanException CONFIG_INVALID with all that is wrong, one line for each problem:
   *     {@code file: path: what was found; what is allowed}
   */
  public static FieldMapping read(String file) {
    Problems problems = new Problems(file);
    String text = ProjectConfigReader.textOf(Path.of(file), problems);
    return new MappingReader(problems).read(new ProjectText(text, problems, "columns").parse());
  }

  private FieldMapping read(JsonNode document) {
    new ProjectSchema("mapping.schema.json").check(document, problems);
    problems.throwIfAny();
    List<ColumnRule> rules = new ArrayList<>();
    for (Map.Entry<String, JsonNode> column : document.get("columns").properties()) {
      check(COLUMNS.key(column.getKey()), column.getValue());
      rules.add(rule(column.getKey(), column.getValue()));
    }
    problems.throwIfAny();
    return new FieldMapping(rules);
  }

  private void check(KeyPath path, JsonNode rule) {
    List<String> origins = ORIGINS.stream().filter(rule::has).toList();
    if (origins.size() != 1) {
      problems.add(
          path,
          "found %s; allowed: exactly one of %s"
              .formatted(found(origins), String.join(", ", ORIGINS)));
    }
    List<String> conversions = CONVERSIONS.stream().filter(rule::has).toList();
    if (conversions.size() > 1 || (conversions.size() == 1 && !rule.has("from"))) {
      problems.add(
          path,
          "found %s; allowed: one of %s, together with from"
              .formatted(found(conversions), String.join(", ", CONVERSIONS)));
    }
    NEEDS.forEach(
        (key, needed) -> {
          if (rule.has(key) && !rule.has(needed)) {
            problems.add(
                path.key(key), "given without %1$s; allowed: only with %1$s".formatted(needed));
          }
        });
  }

  private static String found(List<String> keys) {
    return keys.isEmpty() ? "none" : String.join(" and ", keys);
  }

  private ColumnRule rule(String column, JsonNode rule) {
    if (rule.has("join")) {
      return new Joined(column, texts(rule.get("join")));
    }
    if (rule.has("parameter")) {
      return new FromParameter(column, rule.get("parameter").textValue());
    }
    if (rule.has("constant")) {
      return new Constant(column, rule.get("constant").textValue());
    }
    return new FromField(column, rule.path("from").asText(), conversion(COLUMNS.key(column), rule));
  }

  private Conversion conversion(KeyPath path, JsonNode rule) {
    if (rule.has("date")) {
      return date(path.key("date"), rule.get("date").textValue());
    }
    if (rule.has("words")) {
      Map<String, String> words = new LinkedHashMap<>();
      rule.get("words").properties().forEach(w -> words.put(w.getKey(), w.getValue().textValue()));
      return new Conversion.Words(words, text(rule, "otherwise"));
    }
    if (rule.has("true_words")) {
      return new Conversion.TrueWords(texts(rule.get("true_words")));
    }
    if (rule.has("part")) {
      return new Conversion.Part(rule.path("by").asText(), rule.get("part").intValue());
    }
    return text(rule, "decimal")
        .<Conversion>map(
            decimal ->
                new Conversion.DecimalNumber(
                    decimal.charAt(0), text(rule, "thousands").map(t -> t.charAt(0))))
        .orElseGet(Conversion.AsIs::new);
  }

  private Conversion date(KeyPath path, String pattern) {
    try {
      return new Conversion.Date(pattern);
    } catch (CaravanException e) {
      problems.add(path, e.getMessage());
      return new Conversion.AsIs();
    }
  }

  private static Optional<String> text(JsonNode rule, String key) {
    return Optional.ofNullable(rule.path(key).textValue());
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(item -> texts.add(item.textValue()));
    return texts;
  }
}
