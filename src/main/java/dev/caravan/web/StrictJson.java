package dev.caravan.web;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** One JSON object in UTF-8, and nothing around it; no key twice; not deeper than 64. */
final class StrictJson {

  private static final int MAX_DEPTH = 64;

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(100)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private StrictJson() {}

  /** What is wrong with the body, where; never its text. */
  static final class NotJson extends Exception {
    private NotJson(String message) {
      super(message, null, false, false);
    }
  }

  static JsonNode read(byte[] body) throws NotJson {
    JsonNode node = parse(text(body));
    if (node == null || !node.isObject()) {
      throw new NotJson("The body is to be one JSON object.");
    }
    return node;
  }

  /** Decoded here: Jackson would take UTF-16, UTF-32 and a byte order mark, too. */
  private static String text(byte[] body) throws NotJson {
    if (body.length >= 3 && body[0] == (byte) 0xEF && body[1] == (byte) 0xBB) {
      throw new NotJson("The body begins with a byte order mark; JSON has none.");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw new NotJson("The body is not in UTF-8.");
    }
  }

  private static JsonNode parse(String text) throws NotJson {
    try {
      return JSON.readTree(text);
    } catch (StreamReadException e) {
      throw new NotJson(
          "The body is not JSON as it is to be: line %d, column %d."
              .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr()));
    } catch (JsonProcessingException e) {
      throw new NotJson("The body is to be one JSON object, with no key twice and not too deep.");
    }
  }
}
