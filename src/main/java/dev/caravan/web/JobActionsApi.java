package dev.caravan.web;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Launch;
import dev.caravan.job.camel.JobControl;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.outbox.Outbox;
import dev.caravan.setup.HostWaits;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** What is done with a job: it is stopped, repeated and read about. */
public final class JobActionsApi {

  private static final int LOG_LINES = 200;

  private final JobReports reports;
  private final JobLauncher launcher;
  private final JobControl control;
  private final Outbox outbox;
  private final HostWaits waits;

  /** Acts on jobs of the queue. */
  public JobActionsApi(
      JobReports reports,
      JobLauncher launcher,
      JobControl control,
      Outbox outbox,
      HostWaits waits) {
    this.waits = waits;
    this.reports = reports;
    this.launcher = launcher;
    this.control = control;
    this.outbox = outbox;
  }

  private String accepted(Exchange exchange, String tenant, UUID job, Launch.Outcome outcome)
      throws SQLException {
    return Answer.accepted(exchange, job, reports.state(tenant, job), outcome);
  }

  /** What is done with a job of the tenant. */
  @FunctionalInterface
  private interface Action {
    Optional<?> run(String tenant, UUID job) throws SQLException;
  }

  private Object ofJob(String id, Exchange exchange, Action action) {
    String tenant = Answer.caller(exchange).tenant();
    UUID job = Answer.id(id);
    return Answer.of(
        exchange,
        () -> reports.state(tenant, job).isPresent() ? action.run(tenant, job) : Optional.empty());
  }

  /** Ends a job that waits or runs. */
  public Object cancelJob(@Header("job_id") String id, Exchange exchange) {
    return Answer.blaming(
        exchange,
        () ->
            ofJob(
                id,
                exchange,
                (tenant, job) ->
                    waits.run(tenant, () -> control.cancel(job))
                        ? Optional.of(accepted(exchange, tenant, job, Launch.Outcome.ATTACHED))
                        : Optional.empty()));
  }

  /** Does the work of a job that failed or was cancelled again. */
  public Object retryJob(@Header("job_id") String id, Exchange exchange) {
    return ofJob(
        id,
        exchange,
        (tenant, job) -> {
          UUID again =
              launcher
                  .retry(job)
                  .orElseThrow(
                      () ->
                          new CaravanException(
                              FailureCode.TOO_LATE,
                              "Only a job of the queue that failed or was cancelled is done again."));
          return Optional.of(accepted(exchange, tenant, again, Launch.Outcome.LAUNCHED));
        });
  }

  /** A page of what a job logged. */
  public Object getJobLog(
      @Header("job_id") String id,
      @Header("after") String after,
      @Header("limit") String limit,
      Exchange exchange) {
    long from = after == null ? 0 : Long.parseLong(after);
    int rows = limit == null ? LOG_LINES : Integer.parseInt(limit);
    String tenant = Answer.caller(exchange).tenant();
    return Answer.of(exchange, () -> reports.log(tenant, Answer.id(id), from, rows));
  }

  /** What was or is to be done outside of PostgreSQL because of the job. */
  public Object listDeliveries(@Header("job_id") String id, Exchange exchange) {
    return ofJob(
        id, exchange, (tenant, job) -> Optional.of("{\"deliveries\":" + outbox.list(job) + "}"));
  }

  /** Does one of these once more. */
  public Object redeliver(
      @Header("job_id") String id, @Header("delivery_id") String delivery, Exchange exchange) {
    return ofJob(
        id,
        exchange,
        (tenant, job) ->
            switch (outbox.redeliver(job, Answer.id(delivery))) {
              case UNKNOWN -> Optional.empty();
              case RUNNING ->
                  throw new CaravanException(FailureCode.TOO_LATE, "It is being tried right now.");
              case SCHEDULED ->
                  Optional.of(accepted(exchange, tenant, job, Launch.Outcome.ATTACHED));
            });
  }
}
