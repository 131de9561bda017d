package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.Error;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What the schema validator found, said to somebody who edits a project file.
 *
 * @param rule the subschema whose keyword is violated
 */
record SchemaViolation(Error error, JsonNode rule, ProjectSchema schema) {

  void addTo(Problems problems) {
    KeyPath path = KeyPath.of(error.getInstanceLocation());
    String key = error.getProperty();
    switch (error.getKeyword()) {
      case "additionalProperties" -> problems.add(path.key(key), unknownKey(key));
      case "required" -> problems.add(path.key(key), "missing; allowed: " + allowedAt(key));
      default -> problems.add(path, found() + "; allowed: " + Allowed.by(rule) + quotesHint());
    }
  }

  private String unknownKey(String key) {
    List<String> allowed = new ArrayList<>();
    rule.get("properties").fieldNames().forEachRemaining(allowed::add);
    Collections.sort(allowed);
    String hint =
        Spelling.closest(key, allowed).map(meant -> " (did you mean " + meant + "?)").orElse("");
    return "unknown key" + hint + "; allowed keys: " + String.join(", ", allowed);
  }

  private String allowedAt(String key) {
    return Allowed.by(schema.resolve(rule.get("properties").get(key)));
  }

  private String found() {
    JsonNode value = error.getInstanceNode();
    if (rule.path("writeOnly").asBoolean()) {
      return "found a value that is not shown here";
    }
    return "found "
        + switch (value.getNodeType()) {
          case OBJECT -> "a mapping";
          case ARRAY -> "a list of " + value.size();
          case NULL -> "nothing (null)";
          case STRING -> Printable.quoted(value.textValue());
          default -> value.asText();
        };
  }

  /** YAML takes 2024 for a number and true for a boolean where a column or a password is meant. */
  private String quotesHint() {
    JsonNode value = error.getInstanceNode();
    boolean bare = value.isNumber() || value.isBoolean();
    return bare && Allowed.types(rule).contains("string") ? " (put it into quotes)" : "";
  }
}
