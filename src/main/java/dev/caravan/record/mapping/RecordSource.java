package dev.caravan.record.mapping;

import java.util.Iterator;
import java.util.Map;

/** Where the records of a provider come from; may be used by several jobs at once. */
public interface RecordSource {

  /**
   * The parameters of a job as everything that follows finds them: checked, with what was left to a
   * default.
   *
   * @throws dev.caravan.failure.InvalidParameter with the place of what is not allowed
   */
  default Map<String, ?> parameters(Map<String, ?> given) {
    return given;
  }

  /**
   * Finds out whether these parameters can be served now.
   *
   * @throws dev.caravan.failure.InvalidParameter when whoever asks has to correct them
   * @throws dev.caravan.failure.CaravanException when the source cannot be read, or refuses
   */
  void check(Map<String, ?> parameters, FieldMapping mapping) throws Exception;

  /** The records, to be pulled once; closed by who pulls them, when they can be closed. */
  Iterator<Map<String, ?>> read(Map<String, ?> parameters, FieldMapping mapping) throws Exception;
}
