package dev.caravan.job.camel;

import dev.caravan.job.jdbc.JdbcJobRepository;
import java.sql.SQLException;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Called by the error handler before a redelivery: notes the attempt that failed. Camel would leave
 * its exception on the exchange, where it would look like the end of a job that goes well now.
 */
public final class AttemptRecorder implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(AttemptRecorder.class);

  private final JdbcJobRepository jobs;

  /** Writes to the errors of the job. */
  public AttemptRecorder(JdbcJobRepository jobs) {
    this.jobs = jobs;
  }

  @Override
  public void process(Exchange exchange) {
    UUID job = exchange.getProperty(JobRoutePolicy.JOB_ID, UUID.class);
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    exchange.removeProperty(Exchange.EXCEPTION_CAUGHT);
    if (job == null || cause == null) {
      return;
    }
    int attempt = exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 1, Integer.class);
    try {
      jobs.attemptFailed(job, attempt, JobRoutePolicy.code(cause), JobRoutePolicy.message(cause));
    } catch (SQLException e) {
      LOG.warn("Attempt {} of job {} could not be noted: {}", attempt, job, e.getMessage());
    }
  }
}
