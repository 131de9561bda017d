package dev.caravan.record.csv;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.RecordStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * The records of a CSV file as maps, for a mapping. Slower than loading the file as it is, and
 * stricter: a record that is no CSV fails it as a whole, because a map cannot say what was refused.
 */
public final class CsvRecords implements Iterator<Map<String, ?>>, Closeable {

  private final CsvReader reader;
  private RecordStream.Step ahead;

  private CsvRecords(CsvReader reader) {
    this.reader = reader;
  }

  /**
   * Stands before the first record.
   *
   * @param in closed with the records
   * @throws CaravanException as {@link CsvReader#open}
   */
  public static CsvRecords open(InputStream in, CsvFormat format) throws IOException {
    return new CsvRecords(CsvReader.open(in, format));
  }

  /** The header. */
  public List<String> columns() {
    return reader.columns();
  }

  @Override
  public boolean hasNext() {
    try {
      if (ahead == null) {
        ahead = reader.next();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (ahead == RecordStream.Step.REJECT) {
      throw new CaravanException(
          FailureCode.ROWS_REJECTED,
          "Line %d cannot be read (%s): %s Correct the file."
              .formatted(
                  reader.reject().line(), reader.reject().code(), reader.reject().message()));
    }
    return ahead == RecordStream.Step.RECORD;
  }

  @Override
  public Map<String, ?> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    ahead = null;
    Map<String, Object> record = new LinkedHashMap<>();
    for (int i = 0; i < columns().size(); i++) {
      record.put(columns().get(i), reader.fields().text(i));
    }
    return record;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
