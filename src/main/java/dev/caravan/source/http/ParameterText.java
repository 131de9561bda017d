package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Texts in which <code>{name}</code> stands for the value of a parameter. */
final class ParameterText {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder().disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES).build();
  private static final Pattern NAME =
      Pattern.compile("\\{([A-Za-z_][A-Za-z0-9_]*(?:\\.[A-Za-z_][A-Za-z0-9_]*)*)}");

  private ParameterText() {}

  /** The names in all texts of a value. */
  static Set<String> names(JsonNode value) {
    Set<String> names = new TreeSet<>();
    if (value.isTextual()) {
      NAME.matcher(value.textValue()).results().forEach(found -> names.add(found.group(1)));
    } else {
      value.forEach(child -> names.addAll(names(child)));
    }
    return names;
  }

  /** The text of a plain value; null when a parameter in it was not given. */
  static String fill(JsonNode value, Map<String, ?> parameters) {
    Matcher found = NAME.matcher(value.asText());
    StringBuilder text = new StringBuilder();
    while (found.find()) {
      Object parameter = parameters.get(found.group(1));
      if (parameter == null) {
        return null;
      }
      found.appendReplacement(text, Matcher.quoteReplacement(text(found.group(1), parameter)));
    }
    return found.appendTail(text).toString();
  }

  private static String text(String name, Object value) {
    if (value instanceof Map || value instanceof Iterable) {
      throw RequestParameters.invalid(name, "allowed is one value, not a list or an object.");
    }
    return value instanceof BigDecimal number ? number.toPlainString() : value.toString();
  }

  /** JSON in which a text that is one name becomes the value as it is, lists and numbers too. */
  static JsonNode fillJson(JsonNode value, Map<String, ?> parameters) {
    if (value.isObject()) {
      ObjectNode filled = JsonNodeFactory.instance.objectNode();
      value
          .properties()
          .forEach(member -> filled.set(member.getKey(), fillJson(member.getValue(), parameters)));
      return filled;
    }
    if (value.isArray()) {
      ArrayNode filled = JsonNodeFactory.instance.arrayNode();
      value.forEach(item -> filled.add(fillJson(item, parameters)));
      return filled;
    }
    if (!value.isTextual()) {
      return value;
    }
    Matcher whole = NAME.matcher(value.textValue());
    return whole.matches()
        ? MAPPER.valueToTree(parameters.get(whole.group(1)))
        : JsonNodeFactory.instance.textNode(fill(value, parameters));
  }
}
