package dev.caravan.imports;

import java.util.List;
import java.util.UUID;

/**
 * What an import of uploads is told when it is launched, kept with the job.
 *
 * @param uploads ids of finished uploads of the tenant
 * @param force true to load content again that was loaded before
 */
public record UploadParameters(List<UUID> uploads, boolean force) {

  public UploadParameters {
    uploads = List.copyOf(uploads);
  }
}
