package dev.caravan.record.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BiConsumer;

/**
 * The records of an answer such as <code>{"data": [{…}, …], "error": {…}}</code>, one after the
 * other. Unlike {@link JsonRecords} it looks at the whole answer: what stands beside the array is
 * shown to the caller, and an answer that ends early is no answer.
 */
public final class JsonEnvelope implements Iterator<Map<String, ?>>, Closeable {

  private static final TypeReference<LinkedHashMap<String, Object>> RECORD =
      new TypeReference<>() {};

  private final JsonParser parser;
  private final String array;
  private final BiConsumer<String, Object> beside;
  private long count;
  private boolean arraySeen;
  private boolean inArray;
  private boolean atRecord;

  private JsonEnvelope(JsonParser parser, String array, BiConsumer<String, Object> beside) {
    this.parser = parser;
    this.array = array;
    this.beside = beside;
  }

  /**
   * Stands before the first record.
   *
   * @param in is closed with the records
   * @param array name of the member that has the records
   * @param beside is told of every other member that has a value, when it comes by; what it throws
   *     ends the reading
   * @throws CaravanException BAD_JSON when it is no such answer, SOURCE_INCOMPLETE when it ends in
   *     the middle
   */
  public static JsonEnvelope read(InputStream in, String array, BiConsumer<String, Object> beside) {
    try {
      JsonEnvelope envelope = new JsonEnvelope(JsonRecords.MAPPER.createParser(in), array, beside);
      envelope.open();
      return envelope;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void open() throws IOException {
    try {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw bad("found no JSON object");
      }
      skipToArray();
    } catch (JsonProcessingException e) {
      throw broken(e);
    }
  }

  @Override
  public boolean hasNext() {
    try {
      if (inArray && !atRecord) {
        advance();
      }
      return atRecord;
    } catch (JsonProcessingException e) {
      throw broken(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void advance() throws IOException {
    JsonToken token = parser.nextToken();
    atRecord = token == JsonToken.START_OBJECT;
    if (token == JsonToken.END_ARRAY) {
      inArray = false;
      skipToArray(); // to the end of the answer: there is one array only
    } else if (!atRecord) {
      throw token == null ? cut(null) : bad("a record is no JSON object");
    }
  }

  @Override
  public Map<String, ?> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    try {
      atRecord = false;
      Map<String, ?> record = JsonRecords.MAPPER.readValue(parser, RECORD);
      count++;
      return record;
    } catch (JsonProcessingException e) {
      throw broken(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void skipToArray() throws IOException {
    JsonToken token = parser.nextToken();
    for (; token == JsonToken.FIELD_NAME; token = parser.nextToken()) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals(array) && value == JsonToken.START_ARRAY && !arraySeen) {
        arraySeen = true;
        inArray = true;
        return;
      }
      Object other = JsonRecords.MAPPER.readValue(parser, Object.class);
      if (name.equals(array)) {
        throw bad("'%s' is given twice, or is no array".formatted(array));
      }
      if (other != null) {
        beside.accept(name, other);
      }
    }
    if (token == null) {
      throw cut(null);
    }
    if (!arraySeen) {
      throw bad("it has no array '%s'".formatted(array));
    }
    if (parser.nextToken() != null) {
      throw bad("something stands behind the object");
    }
  }

  private CaravanException broken(JsonProcessingException e) {
    return JsonRecords.isCut(e) ? cut(e) : JsonRecords.badJson(e);
  }

  private CaravanException cut(JsonProcessingException cause) {
    return new CaravanException(
        FailureCode.SOURCE_INCOMPLETE,
        "The answer ends in the middle, after %d whole records.".formatted(count),
        cause);
  }

  private CaravanException bad(String what) {
    return new CaravanException(
        FailureCode.BAD_JSON,
        "The answer is not the expected JSON object with an array '%s': %s, near byte %d."
            .formatted(array, what, parser.currentLocation().getByteOffset()));
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}
