package dev.caravan.job;

import java.util.Locale;
import java.util.Set;

/** The life of a job; the database enforces the same moves. */
public enum JobState {
  /** Waits for a node. Entered by a trigger, or again when the node of a running job died. */
  QUEUED,
  /** A node works on it. Left by its end; a crash leaves it here until somebody finds it. */
  RUNNING,
  /** Everything that was to be loaded is committed. Final. */
  COMPLETED,
  /** It has a code and a message; the targets are as before. Final; a retry is a new job. */
  FAILED,
  /** Somebody stopped it; the targets are as before. Final. */
  CANCELLED;

  /** The states that a job may go to from here. */
  public Set<JobState> next() {
    return switch (this) {
      case QUEUED -> Set.of(RUNNING, CANCELLED);
      case RUNNING -> Set.of(QUEUED, COMPLETED, FAILED, CANCELLED);
      case COMPLETED, FAILED, CANCELLED -> Set.of();
    };
  }

  /** As it is stored and shown. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
