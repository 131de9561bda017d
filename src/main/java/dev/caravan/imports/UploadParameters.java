package dev.caravan.imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.UUID;

/**
 * What an import of uploads is told when it is launched, kept with the job.
 *
 * @param uploads ids of finished uploads of the tenant
 * @param force true to load content again that was loaded before
 */
public record UploadParameters(List<UUID> uploads, boolean force) {

  private static final ObjectMapper JSON = new ObjectMapper();

  public UploadParameters {
    uploads = List.copyOf(uploads);
  }

  static UploadParameters read(String json) {
    try {
      return JSON.readValue(json, UploadParameters.class);
    } catch (JsonProcessingException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID, "parameters: " + e.getOriginalMessage(), e);
    }
  }

  /** As they are kept. */
  String json() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }
}
