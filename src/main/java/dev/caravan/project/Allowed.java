package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Says in words which values a subschema allows. */
final class Allowed {

  private Allowed() {}

  static String by(JsonNode rule) {
    if (rule.has("enum")) {
      return texts(rule.get("enum")).stream().collect(Collectors.joining(" or "));
    }
    return types(rule).stream().map(type -> words(type, rule)).collect(Collectors.joining(", or "));
  }

  /** The JSON types of the values, as the schema names them. */
  static List<String> types(JsonNode rule) {
    JsonNode type = rule.path("type");
    return type.isTextual() ? List.of(type.textValue()) : texts(type);
  }

  private static String words(String type, JsonNode rule) {
    return switch (type) {
      case "string" -> rule.path("errorMessage").asText("text") + lengths(rule);
      case "integer" -> "a whole number" + range(rule);
      case "number" -> "a number" + range(rule);
      case "boolean" -> "true or false";
      case "array" -> "a list" + counts(rule);
      case "object" -> "a mapping";
      default -> type;
    };
  }

  private static String range(JsonNode rule) {
    return " from %s to %s".formatted(rule.path("minimum").asText(), rule.path("maximum").asText());
  }

  private static String lengths(JsonNode rule) {
    String least = rule.has("minLength") ? ", not empty" : "";
    String most =
        rule.has("maxLength") ? ", at most %s characters".formatted(rule.get("maxLength")) : "";
    return least + most;
  }

  private static String counts(JsonNode rule) {
    String least = rule.has("minItems") ? ", not empty" : "";
    String most = rule.has("maxItems") ? ", at most %s items".formatted(rule.get("maxItems")) : "";
    String repeats = rule.path("uniqueItems").asBoolean() ? ", nothing twice" : "";
    return least + most + repeats;
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(item -> texts.add(item.asText()));
    return texts;
  }
}
