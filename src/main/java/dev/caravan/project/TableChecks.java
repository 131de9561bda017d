package dev.caravan.project;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.project.TableOptions.Mode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What the schema cannot say about {@code defaults} and {@code tables}. Works on what the user
 * wrote, which may already have violated the schema.
 */
final class TableChecks {

  private static final KeyPath DEFAULTS = KeyPath.ROOT.key("defaults");
  private static final KeyPath TABLES = KeyPath.ROOT.key("tables");

  private final JsonNode defaults;
  private final JsonNode tables;
  private final Problems problems;

  TableChecks(JsonNode document, Problems problems) {
    this.defaults = document.path("defaults");
    this.tables =
        document.path("tables").isArray() ? document.get("tables") : MissingNode.getInstance();
    this.problems = problems;
  }

  void check() {
    boolean autoDiscovery = defaults.hasNonNull("file_pattern");
    if (!autoDiscovery && tables.isEmpty()) {
      problems.add(
          TABLES,
          "missing, and defaults has no file_pattern, so no file would be loaded; required: one of the two");
    }
    checkValues(defaults, DEFAULTS);
    if (autoDiscovery) {
      checkKey(defaults, DEFAULTS);
    }
    for (int i = 0; i < tables.size(); i++) {
      checkValues(tables.get(i), TABLES.item(i));
      checkKey(tables.get(i), TABLES.item(i));
    }
    checkPatternsDiffer();
  }

  private void checkValues(JsonNode section, KeyPath path) {
    checkPattern(section.path("file_pattern"), path.key("file_pattern"));
    checkEncoding(section.path("encoding"), path.key("encoding"));
    checkLength(section.path("target_table"), path.key("target_table"));
    checkLength(section.path("db_schema"), path.key("db_schema"));
    checkKeyColumns(section.path("primary_key"), path.key("primary_key"));
    checkMapping(section.path("column_mapping"), path.key("column_mapping"));
    for (Map.Entry<String, JsonNode> column : section.path("columns").properties()) {
      checkLength(TextNode.valueOf(column.getKey()), path.key("columns").key(column.getKey()));
    }
  }

  private void checkPattern(JsonNode pattern, KeyPath path) {
    try {
      new FileGlob(pattern.asText());
    } catch (IllegalArgumentException e) {
      problems.add(
          path,
          "found %s with %s; allowed: *, ?, [abc], [a-z], [!abc]"
              .formatted(Printable.quoted(pattern.asText()), e.getMessage()));
    }
  }

  private void checkEncoding(JsonNode encoding, KeyPath path) {
    if (encoding.isTextual() && CharsetNames.find(encoding.textValue()).isEmpty()) {
      problems.add(
          path,
          "found %s; allowed: any encoding that Java knows, such as utf-8, latin-1, iso-8859-15, cp1252, utf-16"
              .formatted(Printable.quoted(encoding.textValue())));
    }
  }

  private void checkKeyColumns(JsonNode columns, KeyPath path) {
    checkLength(columns, path);
    for (int i = 0; i < columns.size(); i++) {
      checkLength(columns.path(i), path.item(i));
    }
  }

  private void checkMapping(JsonNode mapping, KeyPath path) {
    Map<JsonNode, String> sources = new HashMap<>();
    for (Map.Entry<String, JsonNode> column : mapping.properties()) {
      JsonNode target = column.getValue();
      checkLength(target, path.key(column.getKey()));
      String other = sources.putIfAbsent(target, column.getKey());
      if (other != null) {
        problems.add(
            path.key(column.getKey()),
            "found %s, to which %s is mapped already; allowed: each column once"
                .formatted(Printable.quoted(target.asText()), Printable.quoted(other)));
      }
    }
  }

  private void checkLength(JsonNode name, KeyPath path) {
    int bytes = name.isTextual() ? name.textValue().getBytes(UTF_8).length : 0;
    if (bytes > TableNaming.MAX_NAME_BYTES) {
      problems.add(
          path,
          "found %s of %d bytes; allowed: %d bytes in UTF-8, which is what PostgreSQL keeps"
              .formatted(Printable.quoted(name.textValue()), bytes, TableNaming.MAX_NAME_BYTES));
    }
  }

  private void checkKey(JsonNode section, KeyPath path) {
    boolean keyless = !has(section, "primary_key");
    boolean rebuilt = effective(section, "rebuild_table").asBoolean(false);
    String mode = effective(section, "mode").asText("upsert");
    if (rebuilt && !mode.equals("upsert") && !mode.equals("replace")) {
      problems.add(
          path, "rebuild_table: true and mode: %s; allowed: one of the two".formatted(mode));
      return;
    }
    Mode effective = rebuilt ? Mode.REPLACE : mode(mode);
    if (effective == null) {
      return; // the schema has said so
    }
    boolean marks = effective(section, "missing_rows").asText().equals("soft_delete");
    if (keyless && (effective.needsKey() || marks)) {
      problems.add(
          path,
          "neither primary_key nor a mode without one (append, replace or rebuild_table: true, replace_range); required: one of the two");
    }
    if (!keyless && effective == Mode.APPEND) {
      problems.add(path, "mode: append has no primary_key; allowed: primary_key: null");
    }
    if (marks && effective != Mode.UPSERT && effective != Mode.SCD2) {
      problems.add(path, "missing_rows: soft_delete goes with mode: upsert or scd2 only");
    }
    checkRange(section, path, effective);
    checkFormats(section, path);
  }

  private void checkFormats(JsonNode section, KeyPath path) {
    String decimal = effective(section, "decimal_separator").asText(".");
    if (effective(section, "thousands_separator")
        .asText()
        .equals(decimal.isEmpty() ? "." : decimal)) {
      problems.add(path, "thousands_separator and decimal_separator are the same; allowed: two");
    }
    for (JsonNode word : effective(section, "true_values")) {
      for (JsonNode other : effective(section, "false_values")) {
        if (word.equals(other)) {
          problems.add(
              path,
              "true_values and false_values: both have %s; allowed: each word once"
                  .formatted(Printable.quoted(word.asText())));
        }
      }
    }
  }

  private void checkRange(JsonNode section, KeyPath path, Mode mode) {
    if (has(section, "range_column") != (mode == Mode.REPLACE_RANGE)) {
      problems.add(path, "mode: replace_range and range_column; required: both, or none of them");
    }
    boolean bound = has(section, "range_from");
    if (bound != has(section, "range_to") || (bound && !has(section, "range_column"))) {
      problems.add(
          path, "range_from and range_to; required: both and range_column, or none of them");
    }
  }

  private static Mode mode(String text) {
    return Arrays.stream(Mode.values())
        .filter(mode -> mode.name().toLowerCase(Locale.ROOT).equals(text))
        .findFirst()
        .orElse(null);
  }

  private boolean has(JsonNode section, String key) {
    JsonNode value = effective(section, key);
    return !value.isNull() && !value.isMissingNode();
  }

  private JsonNode effective(JsonNode section, String key) {
    return section.has(key) ? section.get(key) : defaults.path(key);
  }

  private void checkPatternsDiffer() {
    Map<String, Integer> first = new HashMap<>();
    for (int i = 0; i < tables.size(); i++) {
      JsonNode pattern = tables.get(i).path("file_pattern");
      Integer other = pattern.isTextual() ? first.putIfAbsent(pattern.textValue(), i) : null;
      if (other != null) {
        problems.add(
            TABLES.item(i).key("file_pattern"),
            "found %s, which tables[%d] has already; allowed: each pattern once"
                .formatted(Printable.quoted(pattern.textValue()), other));
      }
    }
  }
}
