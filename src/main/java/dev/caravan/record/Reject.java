package dev.caravan.record;

/**
 * One refused record, as it is stored in the rejects table.
 *
 * @param line 1-based line of the source where the record starts
 * @param byteOffset 0-based offset of the record in the source; -1 where the encoding hides it
 * @param column the source column at fault; null when it is the record as a whole
 * @param code why
 * @param message for people: the value found and what is allowed
 * @param raw the record as it came; bytes that are not text are written {@code \xHH}
 */
public record Reject(
    long line, long byteOffset, String column, RejectCode code, String message, String raw) {}
