package dev.caravan.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.Schema;
import dev.caravan.access.Role;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** One call of the document. */
final class Operation {

  private static final String JSON = "application/json";

  private final String id;
  private final String method;
  private final String template;
  private final Pattern path;
  private final List<String> pathNames;
  private final Optional<Role> role;
  private final List<Parameter> parameters = new ArrayList<>();
  private final Map<String, Schema> bodies = new LinkedHashMap<>();
  private final boolean bodyRequired;

  /**
   * A parameter.
   *
   * @param in query, header or path
   * @param type the JSON type of its schema
   */
  record Parameter(String name, String in, boolean required, String type, Schema schema) {}

  Operation(ApiDocument document, String method, String template, String pointer) {
    this.method = method;
    this.template = template;
    JsonNode node = document.node(pointer);
    id = node.path("operationId").asText();
    role = ApiDocument.role(node);
    pathNames =
        Pattern.compile("\\{([^}]+)}").matcher(template).results().map(m -> m.group(1)).toList();
    path = Pattern.compile(template.replace(".", "\\.").replaceAll("\\{[^}]+}", "([^/]+)"));
    addParameters(document, pointer.substring(0, pointer.lastIndexOf('/')) + "/parameters");
    addParameters(document, pointer + "/parameters");
    String body = document.resolve(pointer + "/requestBody");
    bodyRequired = document.node(body).path("required").asBoolean();
    document
        .node(body)
        .path("content")
        .fieldNames()
        .forEachRemaining(
            type ->
                bodies.put(
                    type,
                    document.schema(body + "/content/" + type.replace("/", "~1") + "/schema")));
  }

  private void addParameters(ApiDocument document, String pointer) {
    for (int i = 0; i < document.node(pointer).size(); i++) {
      String at = document.resolve(pointer + "/" + i);
      JsonNode node = document.node(at);
      parameters.add(
          new Parameter(
              node.get("name").textValue(),
              node.get("in").textValue(),
              node.path("required").asBoolean(),
              document.node(at + "/schema").path("type").asText(),
              document.schema(at + "/schema")));
    }
  }

  /** Its operationId. */
  String id() {
    return id;
  }

  String method() {
    return method;
  }

  String template() {
    return template;
  }

  /** Who may call; empty for everybody, also without a credential. */
  Optional<Role> role() {
    return role;
  }

  boolean matches(String rawPath) {
    return path.matcher(rawPath).matches();
  }

  /** The values in a path that matches, undecoded. */
  Map<String, String> pathValues(String rawPath) {
    Map<String, String> values = new LinkedHashMap<>();
    var matcher = path.matcher(rawPath);
    if (matcher.matches()) {
      for (int i = 0; i < pathNames.size(); i++) {
        values.put(pathNames.get(i), matcher.group(i + 1));
      }
    }
    return values;
  }

  List<Parameter> parameters(String in) {
    return parameters.stream().filter(parameter -> parameter.in().equals(in)).toList();
  }

  /** True when the caller sends a body of any kind. */
  boolean takesBody() {
    return !bodies.isEmpty();
  }

  boolean bodyRequired() {
    return bodyRequired;
  }

  boolean takes(String contentType) {
    return bodies.containsKey(contentType);
  }

  /** The schema of a JSON body; empty for a body of another type, which the route reads itself. */
  Optional<Schema> jsonBody(String contentType) {
    return contentType.equals(JSON) ? Optional.ofNullable(bodies.get(JSON)) : Optional.empty();
  }
}
