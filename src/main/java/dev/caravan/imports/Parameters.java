package dev.caravan.imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.UncheckedIOException;

/** What jobs are told, and what the outbox keeps, as JSON. */
final class Parameters {

  private static final ObjectMapper JSON = new ObjectMapper();

  private Parameters() {}

  /**
   * Reads them.
   *
   * @throws CaravanException CONFIG_INVALID when they are something else
   */
  static <T> T read(String json, Class<T> type) {
    try {
      return JSON.readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID, "parameters: " + e.getOriginalMessage(), e);
    }
  }

  /** As they are kept. */
  static String write(Object parameters) {
    try {
      return JSON.writeValueAsString(parameters);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }
}
