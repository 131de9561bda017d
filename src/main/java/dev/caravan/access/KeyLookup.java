package dev.caravan.access;

import java.sql.SQLException;
import java.util.Optional;

/** Where the keys are. */
public interface KeyLookup {

  /**
   * A key that is neither revoked nor expired.
   *
   * @param sha256 in hexadecimal digits, as {@link ApiKey#sha256} has it
   */
  record Known(String sha256, Caller caller) {}

  /** The key of that prefix, now; empty when there is none that is valid. */
  Optional<Known> find(String prefix) throws SQLException;

  /** Remembers, to the minute, that the key of that prefix was used. */
  void used(String prefix) throws SQLException;
}
