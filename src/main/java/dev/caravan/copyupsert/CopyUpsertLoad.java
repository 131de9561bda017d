package dev.caravan.copyupsert;

import dev.caravan.pgload.LoadSpec;
import dev.caravan.record.csv.CsvFormat;
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
    String pipeline,
    LoadSpec spec,
    CsvFormat format,
    Optional<String> jsonRecords,
    boolean force) {}
