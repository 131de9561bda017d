package dev.caravan.record;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/**
 * One pass over the records of a source, pulled by the load. Only the current record is held; what
 * {@link #fields()} shows changes with every {@link #next()}. Not for use by two threads.
 */
public interface RecordStream extends Closeable {

  /** What {@link #next()} found. */
  enum Step {
    /** A record; its values are in {@link #fields()}. */
    RECORD,
    /** A refused record; {@link #reject()} says why. */
    REJECT,
    /** No more records. */
    END
  }

  /** The source's column names, in the order of the fields; at least one, all different. */
  List<String> columns();

  /**
   * Moves to the next record.
   *
   * @throws IOException when the source breaks
   * @throws dev.caravan.failure.CaravanException when the source as a whole cannot be loaded
   */
  Step next() throws IOException;

  /** What stands between the fields of a refused record as it is shown. */
  default char delimiter() {
    return ',';
  }

  /** The values of the current record; the same object every time. */
  Fields fields();

  /** Why the current record was refused, after {@link Step#REJECT}. */
  Reject reject();

  /** Describes the current record as refused by the load itself. */
  Reject rejectCurrent(int column, RejectCode code, String message);

  /** 1-based line of the source where the current record starts. */
  long line();

  /** True when the values of the field are JSON, so that a new table takes them as such. */
  default boolean isJson(int field) {
    return false;
  }

  /** Told before the first record: the field goes to a JSON column. A source of texts has JSON. */
  default void writeAsJson(int field) {}

  /** What was seen on the way and is worth a warning in the job record; empty until the end. */
  default List<String> warnings() {
    return List.of();
  }

  /** A guess, for error messages, why the header does not fit; empty when there is none. */
  default String headerHint() {
    return "";
  }
}
