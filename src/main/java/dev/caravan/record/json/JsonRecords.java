package dev.caravan.record.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.filter.FilteringParserDelegate;
import com.fasterxml.jackson.core.filter.JsonPointerBasedFilter;
import com.fasterxml.jackson.core.filter.TokenFilter.Inclusion;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.Map;

/** The objects of a JSON array, or of lines of JSON, one after the other; one is held at a time. */
public final class JsonRecords implements Iterator<Map<String, ?>> {

  /** Deeper values are refused; a document deeper than Jackson's own limit (1,000) fails. */
  static final int MAX_DEPTH = 64;

  static final JsonMapper MAPPER =
      JsonMapper.builder()
          // a double keeps 15 digits; ids have 17 and more
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private final MappingIterator<Map<String, ?>> objects;

  private JsonRecords(MappingIterator<Map<String, ?>> objects) {
    this.objects = objects;
  }

  /**
   * Stands before the first record.
   *
   * @param in UTF-8, UTF-16 or UTF-32; the caller closes it
   * @param pointer where the array stands in the document (RFC 6901), such as {@code /data}; {@code
   *     /} for the document itself, or for objects without an array around them
   * @throws CaravanException BAD_JSON when it is not JSON
   */
  public static JsonRecords read(InputStream in, String pointer) throws IOException {
    try {
      JsonParser parser = MAPPER.createParser(in);
      if (!pointer.equals("/")) {
        parser =
            new FilteringParserDelegate(
                parser,
                new JsonPointerBasedFilter(JsonPointer.compile(pointer)),
                Inclusion.ONLY_INCLUDE_ALL,
                false);
      }
      if (parser.nextToken() == JsonToken.START_ARRAY) {
        parser.clearCurrentToken(); // the iterator then ends with the array
      }
      return new JsonRecords(MAPPER.readerForMapOf(Object.class).readValues(parser));
    } catch (JsonProcessingException e) {
      throw badJson(e);
    }
  }

  @Override
  public boolean hasNext() {
    try {
      return objects.hasNextValue();
    } catch (JsonProcessingException e) {
      throw badJson(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Map<String, ?> next() {
    try {
      return objects.nextValue();
    } catch (JsonProcessingException e) {
      throw badJson(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static CaravanException badJson(JsonProcessingException e) {
    if (e.getCause() instanceof CaravanException broken) {
      return broken; // of the stream itself; Jackson wraps what goes wrong inside of a value
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
