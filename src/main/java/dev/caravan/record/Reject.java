package dev.caravan.record;

import java.util.List;
import java.util.stream.Collectors;

/**
 * One refused record, as it is stored in the rejects table.
 *
 * @param line 1-based line of the source where the record starts
 * @param byteOffset 0-based offset of the record in the source; -1 where the encoding hides it
 * @param column the source column at fault; null when it is the record as a whole
 * @param code why
 * @param message for people: the value found and what is allowed
 * @param raw the record as a line of CSV in the {@link RecordStream#columns} and with the {@link
 *     RecordStream#delimiter} of its source; bytes that are not text are written {@code \xHH}
 */
public record Reject(
    long line, long byteOffset, String column, RejectCode code, String message, String raw) {

  /** A record as CSV, where its own text is not at hand: values quoted, null as nothing. */
  public static String csv(List<String> values, char delimiter) {
    return values.stream()
        .map(value -> value == null ? "" : '"' + value.replace("\"", "\"\"") + '"')
        .collect(Collectors.joining(String.valueOf(delimiter)));
  }
}
