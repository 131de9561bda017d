package dev.caravan.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import dev.caravan.web.Operation.Parameter;
import dev.caravan.web.Problem.Violation;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Compares a request with the document, before a route runs. */
final class RequestCheck {

  /** PostgreSQL keeps none, and files have none in their names. */
  private static final String NUL = "holds a NUL character; no text may have one";

  /** Of a body with more, only the first mistake is told. */
  private static final int MAX_VALUES = 10_000;

  private RequestCheck() {}

  /** What is wrong with path, query and headers; empty when all is right. */
  static Optional<Problem> head(Operation operation, RoutingContext call) {
    Map<String, String> inPath = operation.pathValues(call.request().path());
    for (Parameter parameter : operation.parameters("path")) {
      if (!violations(parameter, decoded(inPath.get(parameter.name()))).isEmpty()) {
        return Optional.of(NOT_FOUND);
      }
    }
    List<Violation> violations = new ArrayList<>();
    MultiMap query = call.queryParams();
    List<Parameter> known = operation.parameters("query");
    for (String name : query.names()) {
      if (known.stream().noneMatch(parameter -> parameter.name().equals(name))) {
        violations.add(new Violation("query", name, "is not a parameter of this call"));
      }
    }
    known.forEach(parameter -> check(parameter, query.getAll(parameter.name()), violations));
    operation
        .parameters("header")
        .forEach(
            parameter ->
                check(parameter, call.request().headers().getAll(parameter.name()), violations));
    return violations.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Problem(
                ProblemCode.BAD_PARAMETER, "A parameter is not as it is to be.", violations));
  }

  /** One answer for all that is not there, so that it tells nothing about what is. */
  static final Problem NOT_FOUND = new Problem(ProblemCode.NOT_FOUND, "There is nothing here.");

  private static String decoded(String raw) {
    try {
      return URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static void check(Parameter parameter, List<String> values, List<Violation> violations) {
    if (values.size() > 1) {
      violations.add(new Violation(parameter.in(), parameter.name(), "is given more than once"));
    } else if (!values.isEmpty()) {
      violations.addAll(violations(parameter, values.get(0)));
    } else if (parameter.required()) {
      violations.add(new Violation(parameter.in(), parameter.name(), "is missing"));
    }
  }

  private static List<Violation> violations(Parameter parameter, String value) {
    if (value.chars().anyMatch(Character::isISOControl)) {
      return List.of(
          new Violation(
              parameter.in(), parameter.name(), "holds a control character, such as a line end"));
    }
    return parameter.schema().validate(typed(parameter.type(), value)).stream()
        .map(error -> new Violation(parameter.in(), parameter.name(), error.getMessage()))
        .toList();
  }

  private static JsonNode typed(String type, String value) {
    if (type.equals("integer") && value.matches("-?[0-9]{1,18}")) {
      return LongNode.valueOf(Long.parseLong(value));
    }
    if (type.equals("boolean") && (value.equals("true") || value.equals("false"))) {
      return BooleanNode.valueOf(value.equals("true"));
    }
    return TextNode.valueOf(value);
  }

  /** What is wrong with a JSON body; empty when all is right. */
  static Optional<Problem> body(Schema schema, byte[] body) {
    JsonNode json;
    try {
      json = StrictJson.read(body);
    } catch (StrictJson.NotJson e) {
      return Optional.of(new Problem(ProblemCode.BAD_JSON, e.getMessage()));
    }
    List<Violation> violations = violations(schema, json);
    findNul(json, "", violations);
    return violations.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Problem(ProblemCode.INVALID, "The body breaks rules of this call.", violations));
  }

  /** With all mistakes, unless the body is so large that they would be too many to be held. */
  private static List<Violation> violations(Schema schema, JsonNode json) {
    List<Error> first =
        schema.validate(json, run -> run.executionConfig(config -> config.failFast(true)));
    boolean small = first.isEmpty() || hasFewerValues(json, MAX_VALUES);
    List<Error> errors = first.isEmpty() || !small ? first : schema.validate(json);
    return new ArrayList<>(errors.stream().map(RequestCheck::inBody).toList());
  }

  private static boolean hasFewerValues(JsonNode json, int most) {
    Deque<JsonNode> open = new ArrayDeque<>(List.of(json));
    int values = 0;
    while (!open.isEmpty() && values < most) {
      JsonNode node = open.pop();
      values++;
      node.forEach(open::push);
    }
    return values < most;
  }

  private static void findNul(JsonNode json, String at, List<Violation> violations) {
    if (json.isTextual() && json.textValue().indexOf('\0') >= 0) {
      violations.add(new Violation("body", at, NUL));
    }
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (field.getKey().indexOf('\0') >= 0) {
        violations.add(new Violation("body", at, NUL));
      }
      findNul(field.getValue(), at + "/" + field.getKey(), violations);
    }
    for (int i = 0; json.isArray() && i < json.size(); i++) {
      findNul(json.get(i), at + "/" + i, violations);
    }
  }

  private static Violation inBody(Error error) {
    String at = error.getInstanceLocation().toString();
    return error.getProperty() == null
        ? new Violation("body", at, error.getMessage())
        : new Violation("body", at + "/" + error.getProperty(), error.getMessage());
  }
}
