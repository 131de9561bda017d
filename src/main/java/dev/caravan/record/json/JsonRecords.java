package dev.caravan.record.json;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.ShownName;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/** The objects of a JSON array, or of lines of JSON, one after the other; one is held at a time. */
public final class JsonRecords implements Iterator<Map<String, ?>> {

  /** Deeper values are refused; a document deeper than Jackson's own limit (1,000) fails. */
  static final int MAX_DEPTH = 64;

  static final JsonMapper MAPPER =
      JsonMapper.builder()
          // a double keeps 15 digits; ids have 17 and more
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private static final ObjectReader RECORD = MAPPER.readerForMapOf(Object.class);

  /** What stands around the records: an object's member, or an array's element without a name. */
  private record Step(String member) {}

  private final JsonParser parser;
  private final String pointer;
  private final Deque<Step> around = new ArrayDeque<>();
  private boolean inArray;
  private boolean atRecord;
  private boolean ended;
  private long count;

  private JsonRecords(JsonParser parser, String pointer) {
    this.parser = parser;
    this.pointer = pointer;
  }

  /**
   * Stands before the first record. The document is read to its end: what does not belong to it, or
   * is not there, fails it.
   *
   * @param in UTF-8, UTF-16 or UTF-32; the caller closes it
   * @param pointer where the array, or the one record, stands in the document (RFC 6901), such as
   *     {@code /data}; {@code /} for the document itself, or for objects without an array around
   *     them
   * @throws CaravanException BAD_JSON when it is not JSON or has nothing there; SOURCE_INCOMPLETE
   *     when it ends in the middle
   */
  public static JsonRecords read(InputStream in, String pointer) throws IOException {
    try {
      JsonRecords records = new JsonRecords(MAPPER.createParser(in), pointer);
      records.open();
      return records;
    } catch (JsonProcessingException e) {
      throw badJson(e);
    }
  }

  private boolean isWholeDocument() {
    return pointer.equals("/");
  }

  private void open() throws IOException {
    JsonToken token = parser.nextToken();
    if (token == null && isWholeDocument()) {
      ended = true;
      return;
    }
    JsonPointer rest = isWholeDocument() ? JsonPointer.empty() : JsonPointer.compile(pointer);
    while (!rest.matches()) {
      rest = token == JsonToken.START_ARRAY ? findElement(rest) : findMember(token, rest);
      token = parser.currentToken();
    }
    inArray = token == JsonToken.START_ARRAY;
    atRecord = token == JsonToken.START_OBJECT;
    if (!inArray && !atRecord) {
      throw bad(
          "what stands at '%s' is %s, no array and no object".formatted(pointer, kind(token)));
    }
  }

  private JsonPointer findMember(JsonToken token, JsonPointer rest) throws IOException {
    List<String> others = new ArrayList<>();
    if (token == JsonToken.START_OBJECT) {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        JsonPointer next = rest.matchProperty(name);
        if (next != null) {
          around.push(new Step(name));
          return next;
        }
        others.add(name);
        parser.skipChildren();
      }
    }
    throw bad(
        "it has nothing at '%s'%s"
            .formatted(
                pointer, others.isEmpty() ? "" : "; there it has: " + ShownName.list(others)));
  }

  private JsonPointer findElement(JsonPointer rest) throws IOException {
    int index = 0;
    for (; parser.nextToken() != JsonToken.END_ARRAY; index++) {
      JsonPointer next = rest.matchElement(index);
      if (next != null) {
        around.push(new Step(null));
        return next;
      }
      parser.skipChildren();
    }
    throw bad("it has nothing at '%s'; there is an array of %d".formatted(pointer, index));
  }

  @Override
  public boolean hasNext() {
    try {
      if (!atRecord && !ended) {
        advance();
      }
      return atRecord;
    } catch (JsonProcessingException e) {
      throw badJson(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void advance() throws IOException {
    if (!inArray && !isWholeDocument()) {
      finish(); // there was one object
      return;
    }
    JsonToken token = parser.nextToken();
    if (token == JsonToken.START_OBJECT) {
      atRecord = true;
    } else if (inArray && token == JsonToken.END_ARRAY) {
      finish();
    } else if (!inArray && token == null) {
      ended = true;
    } else {
      throw bad("record %d is no JSON object but %s".formatted(count + 1, kind(token)));
    }
  }

  /** Behind the records: what is around them must end, too, and with it the document. */
  private void finish() throws IOException {
    ended = true;
    while (!around.isEmpty()) {
      Step step = around.pop();
      for (JsonToken token = parser.nextToken(); !token.isStructEnd(); token = parser.nextToken()) {
        if (token == JsonToken.FIELD_NAME) {
          if (parser.currentName().equals(step.member())) {
            throw bad("'%s' is given twice".formatted(ShownName.of(step.member())));
          }
          parser.nextToken();
        }
        parser.skipChildren();
      }
    }
    JsonToken more = parser.nextToken();
    if (more != null) {
      throw bad("behind the document stands " + kind(more));
    }
  }

  @Override
  public Map<String, ?> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    try {
      atRecord = false;
      count++;
      return RECORD.readValue(parser);
    } catch (JsonProcessingException e) {
      throw badJson(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String kind(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a text";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "true or false";
      case VALUE_NULL -> "null";
      default -> "'" + token.asString() + "'";
    };
  }

  private CaravanException bad(String what) {
    JsonLocation at = parser.currentLocation();
    return new CaravanException(
        FailureCode.BAD_JSON,
        "The source is not the expected JSON: %s (line %d, column %d)."
            .formatted(what, at.getLineNr(), at.getColumnNr()));
  }

  /**
   * True when the document ends in the middle. Jackson wraps what happens inside of a value, and
   * behind a comma it has no exception of its own for the end.
   */
  static boolean isCut(JsonProcessingException e) {
    return e instanceof JsonEOFException
        || e.getOriginalMessage().startsWith("Unexpected end-of-input")
        || (e.getCause() instanceof JsonProcessingException cause && isCut(cause));
  }

  static CaravanException badJson(JsonProcessingException e) {
    if (e.getCause() instanceof CaravanException broken) {
      return broken; // of the stream itself; Jackson wraps what goes wrong inside of a value
    }
    if (isCut(e)) {
      return new CaravanException(
          FailureCode.SOURCE_INCOMPLETE, "The JSON ends in the middle: it is not complete.", e);
    }
    String place =
        e.getLocation() == null
            ? ""
            : " in line %d, column %d"
                .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
    return new CaravanException(
        FailureCode.BAD_JSON,
        "The source is not an array or a sequence of JSON objects%s: %s"
            .formatted(place, e.getOriginalMessage()),
        e);
  }
}
