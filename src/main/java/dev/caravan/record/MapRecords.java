package dev.caravan.record;

import java.io.Closeable;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Records as maps, pulled once, whose columns are known before the first of them. The load closes
 * them; after that there are no more records, so that a step that is repeated cannot load a rest.
 */
public interface MapRecords extends Iterator<Map<String, ?>>, Closeable {

  /** The names that every record has, in their order; at least one. */
  List<String> columns();

  /** What was odd but not wrong, each text with its code in front; complete at the end. */
  List<String> warnings();
}
