package dev.caravan.setup;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.List;

/** What somebody wants to set up breaks a rule, or does not fit what is there. */
public final class RefusedSetup extends CaravanException {

  private final boolean conflict;
  private final transient List<Finding> findings;

  /**
   * One broken rule.
   *
   * @param at a JSON pointer
   * @param detail what was found and what is allowed; never a secret
   */
  public record Finding(String at, String detail) {}

  private RefusedSetup(boolean conflict, String message, List<Finding> findings) {
    super(FailureCode.CONFIG_INVALID, message);
    this.conflict = conflict;
    this.findings = List.copyOf(findings);
  }

  /** It breaks rules. */
  public static RefusedSetup invalid(List<Finding> findings) {
    return new RefusedSetup(false, "It breaks rules.", findings);
  }

  /** It breaks one rule. */
  public static RefusedSetup invalid(String at, String detail) {
    return invalid(List.of(new Finding(at, detail)));
  }

  /** It does not fit what is there. */
  public static RefusedSetup conflict(String message) {
    return new RefusedSetup(true, message, List.of());
  }

  /** True when it does not fit what is there, false when it breaks rules by itself. */
  public boolean isConflict() {
    return conflict;
  }

  /** All broken rules. */
  public List<Finding> findings() {
    return findings;
  }
}
