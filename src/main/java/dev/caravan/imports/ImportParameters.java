package dev.caravan.imports;

import java.util.List;

/**
 * What an import is told when it is launched, kept with the job.
 *
 * @param files names of the files to load; empty for all that are ready
 * @param force true to load content again that was loaded before
 */
public record ImportParameters(List<String> files, boolean force) {

  public ImportParameters {
    files = files == null ? List.of() : List.copyOf(files);
  }
}
