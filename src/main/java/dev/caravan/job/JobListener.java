package dev.caravan.job;

/** Is told of every job that ended, on the job's thread, after its record is written. */
@FunctionalInterface
public interface JobListener {

  /** Must return soon and must not throw. */
  void ended(JobEnd end);
}
