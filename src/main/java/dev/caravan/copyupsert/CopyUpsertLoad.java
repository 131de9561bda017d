package dev.caravan.copyupsert;

import dev.caravan.pgload.LoadMode;
import dev.caravan.pgload.LoadSpec;
import dev.caravan.pgload.Rejects;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.Plausibility;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Everything that one load needs to know beside the data.
 *
 * @param pipeline loads of one pipeline load the same content only once
 * @param spec the target and what happens to its rows
 * @param format how the CSV is written; not used for records
 * @param jsonRecords where the records stand in a JSON body, as a JSON pointer; empty for CSV
 * @param force true to load content again that was loaded before
 */
public record CopyUpsertLoad(
    String pipeline, LoadSpec spec, CsvFormat format, Optional<String> jsonRecords, boolean force) {

  /**
   * How records of such a load that were refused, and fixed since, are loaded: by the same rules,
   * except that the rest of the table stays as it is.
   */
  public CopyUpsertLoad ofRejects() {
    LoadMode mode =
        switch (spec.mode()) {
          case REPLACE, REPLACE_RANGE ->
              spec.keyColumns().isEmpty() ? LoadMode.APPEND : LoadMode.UPSERT;
          case UPSERT, APPEND, INSERT_ONLY, SCD2 -> spec.mode();
        };
    return new CopyUpsertLoad(
        pipeline + "#replay",
        spec.withOnlyRecords(mode),
        format
            .withCharset(StandardCharsets.UTF_8)
            .withSkipLines(0)
            .withTrailer(Optional.empty())
            .withPlausibility(Plausibility.OFF),
        Optional.empty(),
        true);
  }

  /** A file of records, as this load reads it. */
  public InputStream file(Rejects.Fixed records) {
    return new ByteArrayInputStream(records.csv(format.delimiter()).getBytes(format.charset()));
  }
}
