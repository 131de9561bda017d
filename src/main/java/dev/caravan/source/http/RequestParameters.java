package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The parameters that a source takes of a job, by dotted name, each with its schema. */
final class RequestParameters {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private record Declared(Schema schema, Object byDefault, boolean optional) {}

  private final Map<String, Declared> declared = new LinkedHashMap<>();

  /**
   * @param schemas JSON Schemas; {@code default} is what counts when there is none, {@code
   *     optional: true} lets it be left out
   */
  RequestParameters(Map<String, ObjectNode> schemas) {
    schemas.forEach(
        (name, schema) -> {
          ObjectNode plain = schema.deepCopy();
          boolean optional = plain.path("optional").booleanValue();
          plain.remove("optional");
          if (plain.has("pattern")) { // of the whole text, and not of any part of it
            plain.put("pattern", "^(?:" + plain.get("pattern").textValue() + ")$");
          }
          Object byDefault = MAPPER.convertValue(plain.get("default"), Object.class);
          declared.put(name, new Declared(SCHEMAS.getSchema(plain), byDefault, optional));
        });
  }

  Set<String> names() {
    return declared.keySet();
  }

  /** True when a job without it is refused, or has a default. */
  boolean isSure(String name) {
    return declared.containsKey(name) && !declared.get(name).optional();
  }

  /**
   * What was given, and beside it each declared parameter under its dotted name.
   *
   * @throws InvalidParameter CONFIG_INVALID with the place of one that is missing, has a value that
   *     is not allowed, or is unknown inside of an object that is there for parameters
   */
  Map<String, ?> check(Map<String, ?> given) {
    Map<String, Object> checked = new LinkedHashMap<>(given);
    for (String group : List.of("filters", "config")) {
      if (given.get(group) instanceof Map<?, ?> members) {
        members.keySet().forEach(member -> known(group, member.toString()));
      }
    }
    declared.forEach(
        (name, parameter) -> {
          Object value = find(given, name);
          if (value == null) {
            value = parameter.byDefault();
          }
          if (value != null) {
            check(name, parameter.schema(), value);
            checked.put(name, value);
          } else if (!parameter.optional()) {
            throw invalid(name, "missing; it is needed for the request.");
          }
        });
    return checked;
  }

  private void known(String group, String member) {
    if (!declared.containsKey(group + "." + member)) {
      Set<String> allowed = new TreeSet<>();
      declared.keySet().stream()
          .filter(name -> name.startsWith(group + "."))
          .forEach(name -> allowed.add(name.substring(group.length() + 1)));
      throw invalid(
          group + "." + member,
          "not known here; %s."
              .formatted(
                  allowed.isEmpty()
                      ? "nothing is allowed in " + group
                      : "allowed are " + String.join(", ", allowed)));
    }
  }

  private static void check(String name, Schema schema, Object value) {
    JsonNode node = MAPPER.valueToTree(value);
    List<Error> errors = schema.validate(node);
    if (!errors.isEmpty()) {
      throw invalid(name, errors.get(0).getMessage() + ".");
    }
  }

  private static Object find(Map<String, ?> given, String name) {
    Object found = given;
    for (String step : name.split("\\.", -1)) {
      found = found instanceof Map<?, ?> map ? map.get(step) : null;
    }
    return found;
  }

  static InvalidParameter invalid(String name, String detail) {
    return new InvalidParameter(
        FailureCode.CONFIG_INVALID,
        InvalidParameter.pointer((Object[]) name.split("\\.", -1)),
        detail);
  }
}
