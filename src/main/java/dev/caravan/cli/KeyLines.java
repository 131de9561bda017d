package dev.caravan.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** In which line of a project file each key stands. */
final class KeyLines {

  private final Map<String, Integer> lines = new HashMap<>();

  private KeyLines() {}

  /** Of a file that cannot be read to its end, those up to there. */
  static KeyLines of(Path file) {
    KeyLines lines = new KeyLines();
    try {
      lines.collect(Files.readString(file));
    } catch (IOException e) {
      // what is wrong with it is told by the one who checks it
    }
    return lines;
  }

  private void collect(String text) throws IOException {
    JsonFactory format =
        text.stripLeading().startsWith("{") ? new JsonFactory() : new YAMLFactory();
    try (JsonParser parser = format.createParser(text)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        String pointer = parser.getParsingContext().pathAsPointer().toString();
        lines.putIfAbsent(pointer, parser.currentTokenLocation().getLineNr());
      }
    }
  }

  /** The line of a key, or, when it is missing, of the next one around it that is there. */
  int of(String pointer) {
    String place = pointer;
    while (!lines.containsKey(place) && !place.isEmpty()) {
      place = place.substring(0, place.lastIndexOf('/'));
    }
    return lines.getOrDefault(place, 1);
  }
}
