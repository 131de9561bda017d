package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import com.networknt.schema.path.NodePath;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/** A published schema: what may be written, and what holds when nothing is. */
final class ProjectSchema {

  static final String RESOURCE = "project.schema.json";

  private final JsonNode root;
  private final Schema schema;

  ProjectSchema() {
    this(RESOURCE);
  }

  /** One of the schemas beside this class. */
  ProjectSchema(String resource) {
    root = load(resource);
    // Otherwise each start warns of an unknown keyword.
    SchemaRegistryConfig config =
        SchemaRegistryConfig.builder().errorMessageKeyword("errorMessage").build();
    schema =
        SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12,
                registry -> registry.schemaRegistryConfig(config))
            .getSchema(root);
  }

  /** Adds every violation of the schema to {@code problems}. */
  void check(JsonNode document, Problems problems) {
    for (Error error : schema.validate(document)) {
      NodePath rule = error.getSchemaLocation().getFragment().getParent();
      new SchemaViolation(error, resolve(root.at(rule.toString())), this).addTo(problems);
    }
  }

  /**
   * A valid document with everything that it leaves to a default written out: entries of {@code
   * tables} take from {@code defaults}, all else from the schema.
   */
  ObjectNode complete(ObjectNode document) {
    ObjectNode complete = document.deepCopy();
    addDefaults(complete, root);
    JsonNode ofTables = complete.get("defaults");
    for (JsonNode table : complete.get("tables")) {
      addDefaults((ObjectNode) table, root.at("/properties/tables/items"));
      addAbsent((ObjectNode) table, ofTables);
    }
    return complete;
  }

  private static void addDefaults(ObjectNode section, JsonNode schema) {
    for (Map.Entry<String, JsonNode> property : schema.get("properties").properties()) {
      JsonNode value = property.getValue();
      if (value.has("default")) {
        addAbsent(section, property.getKey(), value.get("default"));
      }
      if (value.has("properties")) {
        addDefaults((ObjectNode) section.get(property.getKey()), value);
      }
    }
  }

  private static void addAbsent(ObjectNode section, JsonNode values) {
    values.properties().forEach(value -> addAbsent(section, value.getKey(), value.getValue()));
  }

  private static void addAbsent(ObjectNode section, String key, JsonNode value) {
    if (!section.has(key)) {
      section.set(key, value.deepCopy());
    }
  }

  /** A subschema together with the definition that it refers to; its own keywords win. */
  JsonNode resolve(JsonNode subschema) {
    if (!subschema.has("$ref")) {
      return subschema;
    }
    ObjectNode definition = root.at(subschema.get("$ref").textValue().substring(1)).deepCopy();
    definition.setAll((ObjectNode) subschema);
    return definition.without("$ref");
  }

  JsonNode root() {
    return root;
  }

  private static JsonNode load(String resource) {
    try (InputStream in = ProjectSchema.class.getResourceAsStream(resource)) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + resource + " from the class path", e);
    }
  }
}
