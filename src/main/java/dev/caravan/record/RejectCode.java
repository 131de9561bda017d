package dev.caravan.record;

/** Why one record was refused. The list is closed; the names are stored in the rejects table. */
public enum RejectCode {
  /** More or fewer fields than the header has columns. */
  COLUMN_COUNT,
  /** A quote inside an unquoted field, or text after a closing quote. */
  STRAY_QUOTE,
  /** A line of nothing but white space. */
  BLANK_LINE,
  /** A carriage return that is not part of a line end and not quoted. */
  LINE_ENDING,
  /** A field larger than the limit. */
  FIELD_TOO_LARGE,
  /** A NUL byte; PostgreSQL text cannot hold it. */
  NUL_BYTE,
  /** Bytes that are not text in the configured encoding, or a character that the database lacks. */
  ENCODING,
  /** The header again: the file is several files put together. */
  REPEATED_HEADER,
  /** A byte order mark in front of the record: the file is several files put together. */
  BYTE_ORDER_MARK,
  /** A key column without a value. */
  NULL_KEY,
  /** A value that the type of its target column does not take. */
  BAD_VALUE,
  /** A JSON value nested deeper than 64. */
  JSON_DEPTH,
  /**
   * A value longer than its target column (PostgreSQL would cut trailing blanks silently), a row
   * too wide for a page, or a key too long for an index.
   */
  TOO_LONG,
  /** A record outside the range that the load replaces, or without a value in its column. */
  OUT_OF_RANGE,
  /** A row that a constraint, trigger or policy of the target refuses; it is named. */
  CONSTRAINT
}
