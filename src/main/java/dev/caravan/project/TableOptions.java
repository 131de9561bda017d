package dev.caravan.project;

import dev.caravan.record.csv.CsvFormat;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * How the files of one table are read and loaded.
 *
 * @param keyColumns columns of the table that identify a row; none in some modes
 * @param columnMapping from the file's column to the table's, for renamed columns, in file order
 * @param columnTypes from the table's column to its type, as it is written
 * @param mode what happens with rows that are there
 * @param range what {@link Mode#REPLACE_RANGE} replaces; empty for the others
 * @param missingRows what happens with rows that the file no longer has
 * @param csv how the files are written
 * @param maxErrors bad rows up to which a file is loaded; empty: no limit
 * @param maxErrorRatio ratio of bad rows, 0 to 1, up to which a file is loaded; empty: no limit
 * @param allowEmpty whether a file without data rows may replace the rows of the table
 * @param valueFormats how texts are read as values of typed columns
 * @param inferTypes whether a table that does not exist is created with types
 * @param setSequences whether the sequences of loaded columns are set behind their values
 */
public record TableOptions(
    List<String> keyColumns,
    Map<String, String> columnMapping,
    Map<String, String> columnTypes,
    Mode mode,
    Optional<Range> range,
    MissingRows missingRows,
    CsvFormat csv,
    OnError onError,
    OptionalLong maxErrors,
    OptionalDouble maxErrorRatio,
    OnDrift onDrift,
    boolean allowEmpty,
    Formats valueFormats,
    boolean inferTypes,
    boolean setSequences) {

  public TableOptions {
    keyColumns = List.copyOf(keyColumns);
    columnMapping = Collections.unmodifiableMap(new LinkedHashMap<>(columnMapping));
    columnTypes = Collections.unmodifiableMap(new LinkedHashMap<>(columnTypes));
  }

  /** What happens to a file that has bad rows. */
  public enum OnError {
    /** Bad rows are set aside, the others are loaded. */
    REJECT,
    /** Nothing is loaded. */
    FAIL
  }

  /** What happens with the rows that are there; see the schema. */
  public enum Mode {
    UPSERT,
    APPEND,
    INSERT_ONLY,
    REPLACE,
    REPLACE_RANGE,
    SCD2;

    /** True when there can be no row without a key. */
    boolean needsKey() {
      return this == UPSERT || this == INSERT_ONLY || this == SCD2;
    }
  }

  /** A part of the table: by its bounds (the second exclusive), or by the values in the file. */
  public record Range(String column, Optional<String> from, Optional<String> to) {}

  /** How dates, timestamps, numbers and booleans are written; empty patterns are ISO 8601. */
  public record Formats(
      Optional<String> date,
      Optional<String> timestamp,
      char decimal,
      Optional<Character> thousands,
      List<String> trueWords,
      List<String> falseWords) {

    public Formats {
      trueWords = List.copyOf(trueWords);
      falseWords = List.copyOf(falseWords);
    }
  }

  /** What happens with rows that the file no longer has; see the schema. */
  public enum MissingRows {
    KEEP,
    SOFT_DELETE
  }

  /** What happens to a file whose columns are not those of the last one; see the schema. */
  public enum OnDrift {
    FREEZE,
    EVOLVE,
    DISCARD_ROW,
    DISCARD_VALUE
  }
}
