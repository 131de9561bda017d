package dev.caravan.job.jdbc;

import dev.caravan.job.JobState;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;

/**
 * Writes what follows from the moves of jobs, in the transaction that moves them: both are
 * committed or neither. Is called for jobs of every kind, by whatever node and call moves them.
 */
public interface JobObserver {

  /**
   * A job has ended: by itself, by somebody, or because nobody began it.
   *
   * @param connection the job's row is as it is at the end
   */
  void ended(Connection connection, UUID job, JobState state) throws SQLException;

  /** A job that is queued does the work of another one again, which failed or was cancelled. */
  void retried(Connection connection, UUID job, UUID retryOf) throws SQLException;
}
