package dev.caravan.project;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.List;

/** A project that breaks rules; the message has all of them, the findings have them one by one. */
public final class InvalidProject extends CaravanException {

  private final transient List<Finding> findings;

  /**
   * One broken rule.
   *
   * @param key where, as users write it: {@code tables[0].delimiter}; empty for the whole
   * @param pointer the same as a JSON pointer
   * @param problem what was found and what is allowed; never a secret
   */
  public record Finding(String key, String pointer, String problem) {}

  InvalidProject(String message, List<Finding> findings) {
    super(FailureCode.CONFIG_INVALID, message);
    this.findings = List.copyOf(findings);
  }

  /** All broken rules, a hundred at the most. */
  public List<Finding> findings() {
    return findings;
  }
}
