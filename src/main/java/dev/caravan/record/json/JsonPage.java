package dev.caravan.record.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;

/**
 * One JSON document, read once from its start to its end: the records in it, of which one is held
 * at a time, and values beside them, wherever they stand. Numbers keep every digit.
 */
public final class JsonPage implements Iterator<Map<String, ?>>, Closeable {

  private static final TypeReference<LinkedHashMap<String, Object>> RECORD =
      new TypeReference<>() {};

  private final InputStream in;
  private final JsonParser parser;
  private final RecordPath path;
  private final Set<String> wanted;
  private final Map<String, JsonNode> values = new HashMap<>();
  private final Deque<Frame> open = new ArrayDeque<>(); // the innermost first
  private String missing;
  private boolean isNull;
  private Map<String, ?> ahead;
  private boolean begun;
  private boolean ended;
  private long count;

  /** An object or array on the way to the records, or to a value beside them. */
  private static final class Frame {
    private final boolean array;
    private final String pointer;
    private final int matched; // steps of the path that lead here; -1 when it leads elsewhere
    private int index = -1;
    private String name;
    private boolean found;

    Frame(boolean array, String pointer, int matched) {
      this.array = array;
      this.pointer = pointer;
      this.matched = matched;
    }

    String key() {
      return array ? String.valueOf(index) : name;
    }

    String child() {
      return pointer + "/" + key().replace("~", "~0").replace("/", "~1");
    }
  }

  private JsonPage(InputStream in, JsonParser parser, RecordPath path, Collection<String> wanted) {
    this.in = in;
    this.parser = parser;
    this.path = path;
    this.wanted = Set.copyOf(wanted);
  }

  /**
   * Stands before the document.
   *
   * @param in UTF-8, UTF-16 or UTF-32; closed with the page
   * @param wanted JSON pointers of values beside the records, none of them above or below these
   */
  public static JsonPage open(InputStream in, RecordPath path, Collection<String> wanted) {
    try {
      JsonParser parser = JsonRecords.MAPPER.createParser(in);
      parser.disable(JsonParser.Feature.AUTO_CLOSE_SOURCE); // who opened it may look at its start
      return new JsonPage(in, parser, path, wanted);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads the first token; false when the document is none of JSON: nothing, HTML, plain text. */
  public boolean isJson() throws IOException {
    begun = true;
    try {
      JsonToken first = parser.nextToken();
      if (first == JsonToken.START_OBJECT || first == JsonToken.START_ARRAY) {
        enter(first, "", 0);
        return true;
      }
      missing = "";
      ended = true;
      return first != null;
    } catch (JsonProcessingException e) {
      ended = true;
      return false;
    }
  }

  /** What stands at a wanted pointer, so far; a missing node when there is nothing. */
  public JsonNode value(String pointer) {
    return values.getOrDefault(pointer, MissingNode.getInstance());
  }

  /**
   * After the last record: the place on the path to the records at which the document has nothing
   * that leads on; empty when the path was there to its end.
   */
  public Optional<String> missing() {
    return Optional.ofNullable(missing);
  }

  /** True when {@link #missing()} is a null where the records should be. */
  public boolean isNull() {
    return isNull;
  }

  @Override
  public boolean hasNext() {
    try {
      if (!begun && !isJson()) {
        throw bad("it is no JSON");
      }
      if (ahead == null && !ended) {
        ahead = advance();
      }
      return ahead != null;
    } catch (JsonEOFException e) {
      throw cut(e);
    } catch (JsonProcessingException e) {
      throw JsonRecords.badJson(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Map<String, ?> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Map<String, ?> record = ahead;
    ahead = null;
    count++;
    return record;
  }

  private Map<String, ?> advance() throws IOException {
    while (!open.isEmpty()) {
      JsonToken token = parser.nextToken();
      if (token == null) {
        throw cut(null);
      } else if (token == JsonToken.FIELD_NAME) {
        open.element().name = parser.currentName();
      } else if (token == JsonToken.END_OBJECT || token == JsonToken.END_ARRAY) {
        leave();
      } else if (isRecord(token)) {
        return record(token);
      }
    }
    ended = true;
    if (parser.nextToken() != null) {
      throw bad("behind its end begins a second document");
    }
    return null;
  }

  private void leave() {
    Frame left = open.remove();
    boolean leads = left.matched >= 0 && left.matched < path.steps().size();
    if (leads && !left.found && !path.isEvery(left.matched) && missing == null) {
      missing = left.pointer + "/" + path.steps().get(left.matched);
    }
  }

  /** Goes into the value, over it, or keeps it; true when it is a record. */
  private boolean isRecord(JsonToken token) throws IOException {
    Frame above = open.element();
    above.index++;
    int matched =
        above.matched >= 0 && path.matches(above.matched, above.key()) ? above.matched + 1 : -1;
    if (matched == path.steps().size()) {
      return true;
    }
    String pointer = above.child();
    boolean container = token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY;
    if (wanted.contains(pointer)) {
      values.put(pointer, JsonRecords.MAPPER.readTree(parser));
    } else if (container && (matched >= 0 || leadsToWanted(pointer))) {
      above.found |= matched >= 0;
      enter(token, pointer, matched);
    } else if (matched >= 0) {
      above.found = true; // it is there, and leads nowhere
      missing = missing == null ? pointer : missing;
      isNull |= token == JsonToken.VALUE_NULL;
    } else {
      parser.skipChildren();
    }
    return false;
  }

  private boolean leadsToWanted(String pointer) {
    return wanted.stream().anyMatch(value -> value.startsWith(pointer + "/"));
  }

  private void enter(JsonToken token, String pointer, int matched) {
    boolean array = token == JsonToken.START_ARRAY;
    if (matched >= 0 && !array && path.needsArray(matched)) {
      missing = missing == null ? pointer : missing;
      open.push(new Frame(false, pointer, -1)); // read over, for what else is wanted
    } else {
      open.push(new Frame(array, pointer, matched));
    }
  }

  private Map<String, ?> record(JsonToken token) throws IOException {
    Map<String, Object> record = new LinkedHashMap<>();
    int star = 0;
    for (Iterator<Frame> outermost = open.descendingIterator(); outermost.hasNext(); ) {
      Frame frame = outermost.next();
      if (path.isNamed(frame.matched)) {
        record.put("*" + ++star, frame.key());
      }
    }
    if (token == JsonToken.START_OBJECT) {
      record.putAll(JsonRecords.MAPPER.readValue(parser, RECORD));
    } else if (star > 0) {
      record.put("value", JsonRecords.MAPPER.readValue(parser, Object.class));
    } else {
      throw bad("a record is no JSON object");
    }
    return record;
  }

  private CaravanException cut(JsonProcessingException cause) {
    return new CaravanException(
        FailureCode.SOURCE_INCOMPLETE,
        "The answer ends in the middle, after %d whole records.".formatted(count),
        cause);
  }

  private CaravanException bad(String what) {
    return new CaravanException(
        FailureCode.BAD_ANSWER,
        "The answer is not the expected JSON: %s, near byte %d."
            .formatted(what, parser.currentLocation().getByteOffset()));
  }

  @Override
  public void close() throws IOException {
    parser.close();
    in.close();
  }
}
