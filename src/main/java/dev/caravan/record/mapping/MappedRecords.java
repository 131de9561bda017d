package dev.caravan.record.mapping;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.MapRecords;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One record in, one record out. */
final class MappedRecords implements MapRecords {

  private final FieldMapping mapping;
  private final Iterator<Map<String, ?>> records;
  private final Map<String, ?> parameters;
  private final Oddities oddities = new Oddities();
  private final List<FieldPath> missing;
  private Set<String> present = Set.of();
  private long count;
  private boolean closed;

  MappedRecords(FieldMapping mapping, Iterator<Map<String, ?>> records, Map<String, ?> parameters) {
    this.mapping = mapping;
    this.records = records;
    this.parameters = parameters;
    this.missing = new ArrayList<>(mapping.paths().toList());
  }

  @Override
  public List<String> columns() {
    return mapping.columns();
  }

  @Override
  public boolean hasNext() {
    if (closed) {
      throw new IllegalStateException("these records were read before; the job has to begin anew");
    }
    boolean more = records.hasNext();
    if (!more && count > 0 && !missing.isEmpty()) {
      throw new CaravanException(
          FailureCode.HEADER_MISMATCH,
          "None of the %d records of the source has the fields %s; they have: %s. Correct the mapping."
              .formatted(
                  count, quoted(missing.stream().map(FieldPath::text).toList()), quoted(present)));
    }
    return more;
  }

  @Override
  public Map<String, ?> next() {
    Map<String, ?> record = records.next();
    count++;
    if (!missing.isEmpty()) {
      missing.removeIf(path -> path.isIn(record)); // a source may leave out what has no value
      present = record.keySet();
    }
    Map<String, Object> row = new LinkedHashMap<>();
    for (ColumnRule rule : mapping.rules()) {
      row.put(rule.column(), rule.value(record, parameters, oddities));
    }
    return row;
  }

  private static String quoted(Iterable<String> names) {
    return "'" + String.join("', '", names) + "'";
  }

  @Override
  public List<String> warnings() {
    return oddities.warnings();
  }

  @Override
  public void close() throws IOException {
    closed = true;
    if (records instanceof Closeable source) {
      source.close();
    }
  }
}
