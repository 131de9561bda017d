package dev.caravan.source.tableau;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.util.Map;

/** The small documents of the protocol; records are never read with it. */
final class TableauJson {

  private static final JsonMapper MAPPER = new JsonMapper();

  private TableauJson() {}

  static String text(Map<String, ?> document) {
    try {
      return MAPPER.writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("a request is made of maps, lists and texts", e);
    }
  }

  /** The document, or a missing node when it is none. */
  static JsonNode tree(byte[] json) {
    try {
      JsonNode tree = MAPPER.readTree(json);
      return tree == null ? MissingNode.getInstance() : tree;
    } catch (IOException e) {
      return MissingNode.getInstance();
    }
  }

  static JsonNode tree(Object value) {
    return MAPPER.valueToTree(value);
  }
}
