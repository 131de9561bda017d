package dev.caravan.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialects;
import dev.caravan.access.Role;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The OpenAPI document: what may be called, with what, by whom. It comes first: a call that is not
 * in it does not exist, whatever routes there are.
 *
 * <p>An operation with {@code x-coming: true} is designed and not built: it is not served.
 */
final class ApiDocument {

  private static final String ID = "urn:caravan:openapi";
  private static final List<String> METHODS = List.of("get", "put", "post", "delete", "patch");

  private final ObjectNode root;
  private final Schema whole;
  private final List<Operation> operations = new ArrayList<>();

  private ApiDocument(ObjectNode root) {
    this.root = root;
    leaveOutWhatIsComing();
    SchemaRegistryConfig config =
        SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build();
    whole =
        SchemaRegistry.withDialect(
                Dialects.getOpenApi31(),
                builder ->
                    builder.schemaRegistryConfig(config).schemas(Map.of(ID, root.toString())))
            .getSchema(SchemaLocation.of(ID));
    root.get("paths").properties().forEach(path -> addOperations(path.getKey(), path.getValue()));
    // A fixed path wins over a template that fits, too.
    operations.sort(Comparator.comparing(o -> o.template().chars().filter(c -> c == '{').count()));
  }

  /** Reads the document that is part of the program. */
  static ApiDocument load() {
    try (InputStream in = ApiDocument.class.getResourceAsStream("openapi.yaml")) {
      return new ApiDocument((ObjectNode) new YAMLMapper().readTree(in));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read openapi.yaml from the class path", e);
    }
  }

  private void leaveOutWhatIsComing() {
    List<String> empty = new ArrayList<>();
    for (Map.Entry<String, JsonNode> path : root.get("paths").properties()) {
      ObjectNode item = (ObjectNode) path.getValue();
      for (String method : METHODS) {
        if (item.at("/" + method + "/x-coming").asBoolean()) {
          item.remove(method);
        }
      }
      if (METHODS.stream().noneMatch(item::has)) {
        empty.add(path.getKey());
      }
    }
    ((ObjectNode) root.get("paths")).remove(empty);
  }

  private void addOperations(String template, JsonNode item) {
    for (String method : METHODS) {
      if (item.has(method)) {
        String pointer = "/paths/" + template.replace("~", "~0").replace("/", "~1") + "/" + method;
        operations.add(
            new Operation(this, method.toUpperCase(java.util.Locale.ROOT), template, pointer));
      }
    }
  }

  /** As it is served. */
  String json() {
    return root.toString();
  }

  List<Operation> operations() {
    return List.copyOf(operations);
  }

  /** The operations at a path as the client sent it, undecoded; none when there is no such path. */
  List<Operation> at(String path) {
    Optional<String> template =
        operations.stream()
            .filter(operation -> operation.matches(path))
            .map(Operation::template)
            .findFirst();
    return operations.stream()
        .filter(operation -> template.filter(operation.template()::equals).isPresent())
        .toList();
  }

  /** The node at a JSON pointer, or what it refers to. */
  JsonNode node(String pointer) {
    return root.at(resolve(pointer));
  }

  /** The pointer itself, or that to which its node refers. */
  String resolve(String pointer) {
    JsonNode reference = root.at(pointer).path("$ref");
    return reference.isTextual() ? reference.textValue().substring(1) : pointer;
  }

  /** A part of the one schema: the registry would read the document anew for each of them. */
  Schema schema(String pointer) {
    return whole.getSubSchema(SchemaLocation.of(ID + "#" + pointer).getFragment());
  }

  /** Who may call; empty for everybody, also without a credential. */
  static Optional<Role> role(JsonNode operation) {
    String text = operation.path("x-role").asText();
    if (text.equals("anyone")) {
      return Optional.empty();
    }
    return Optional.of(
        Role.of(text)
            .orElseThrow(
                () -> new IllegalStateException("x-role: found '" + text + "' in openapi.yaml")));
  }
}
