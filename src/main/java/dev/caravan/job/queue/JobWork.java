package dev.caravan.job.queue;

import java.util.Set;

/** Does what a job is there for, and writes how it ended. */
@FunctionalInterface
public interface JobWork {

  /**
   * Runs on a thread of the engine and returns when the attempt is over and its end is written.
   *
   * @throws Exception when the end could not be written; another attempt will find it out
   */
  void run(RunningJob job) throws Exception;

  /** Projects whose jobs this node leaves to others at this time. */
  default Set<String> left() {
    return Set.of();
  }
}
