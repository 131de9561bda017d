package dev.caravan.project;

import java.nio.charset.Charset;
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
 * @param keyColumns columns of the table that identify a row; empty only with {@code rebuildTable}
 * @param columnMapping from the file's column to the table's, for renamed columns, in file order
 * @param rebuildTable replace all rows of the table
 * @param delimiter an ASCII character
 * @param skipRows lines in front of the header line
 * @param maxErrors bad rows up to which a file is loaded; empty: no limit
 * @param maxErrorRatio ratio of bad rows, 0 to 1, up to which a file is loaded; empty: no limit
 * @param allowEmpty whether a file without data rows may replace the rows of the table
 * @param trailer first field of the record that ends a complete file and counts its data rows
 * @param nullValues words that mean NULL
 */
public record TableOptions(
    List<String> keyColumns,
    Map<String, String> columnMapping,
    boolean rebuildTable,
    char delimiter,
    Charset charset,
    int skipRows,
    OnError onError,
    OptionalLong maxErrors,
    OptionalDouble maxErrorRatio,
    OnDrift onDrift,
    boolean allowEmpty,
    Optional<String> trailer,
    List<String> nullValues) {

  public TableOptions {
    keyColumns = List.copyOf(keyColumns);
    columnMapping = Collections.unmodifiableMap(new LinkedHashMap<>(columnMapping));
    nullValues = List.copyOf(nullValues);
  }

  /** What happens to a file that has bad rows. */
  public enum OnError {
    /** Bad rows are set aside, the others are loaded. */
    REJECT,
    /** Nothing is loaded. */
    FAIL
  }

  /** What happens to a file whose columns are not those of the last one. */
  public enum OnDrift {
    /** Nothing is loaded. */
    FAIL,
    /** The new shape is taken. */
    ACCEPT
  }
}
