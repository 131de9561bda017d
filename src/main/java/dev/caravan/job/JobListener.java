package dev.caravan.job;

/** Is told of every job that this node ended, on whatever thread ended it, after the commit. */
@FunctionalInterface
public interface JobListener {

  /** Must return soon and must not throw. */
  void ended(JobEnd end);
}
