package dev.caravan.job.camel;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JdbcJobRepository.Cancellable;
import dev.caravan.pgload.Fence;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;

/** Cancels jobs, and says so only when it is true. */
public final class JobControl {

  private final JdbcJobRepository jobs;
  private final Function<String, DataSource> connections;

  /**
   * @param connections the databases that loads go to, by name
   */
  public JobControl(JdbcJobRepository jobs, Function<String, DataSource> connections) {
    this.jobs = jobs;
    this.connections = connections;
  }

  /**
   * Stops a job that waits or runs. When this returns true, no row of it will appear any more,
   * whatever its node is doing: its fence is closed, and its sessions are ended.
   *
   * @return false when there is no such job
   * @throws CaravanException TOO_LATE when it has ended, or its rows are being committed
   */
  public boolean cancel(UUID id) throws SQLException {
    Optional<Cancellable> job = jobs.cancellable(id);
    if (job.isEmpty()) {
      return false;
    }
    if (!job.get().open() || !closeFence(id, job.get()) || !jobs.cancel(id)) {
      throw new CaravanException(
          FailureCode.TOO_LATE,
          "Job %s cannot be cancelled any more: it has ended, or its rows are being committed."
              .formatted(id));
    }
    return true;
  }

  private boolean closeFence(UUID id, Cancellable job) throws SQLException {
    if (job.connection() == null) {
      return true; // it loads nothing
    }
    try (Connection connection = connections.apply(job.connection()).getConnection()) {
      return Fence.close(connection, id);
    }
  }
}
