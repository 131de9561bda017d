package dev.caravan.imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * What an import is told when it is launched, kept with the job.
 *
 * @param files names of the files to load; empty for all that are ready
 * @param force true to load content again that was loaded before
 */
public record ImportParameters(List<String> files, boolean force) {

  private static final ObjectMapper JSON = new ObjectMapper();

  public ImportParameters {
    files = files == null ? List.of() : List.copyOf(files);
  }

  /**
   * Reads them.
   *
   * @throws CaravanException CONFIG_INVALID when it is something else
   */
  static ImportParameters read(String json) {
    try {
      return JSON.readValue(json, ImportParameters.class);
    } catch (JsonProcessingException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID, "parameters: " + e.getOriginalMessage(), e);
    }
  }

  /** As they are kept. */
  public String json() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }
}
