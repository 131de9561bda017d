package dev.caravan.web;

import dev.caravan.job.jdbc.JobReports;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/**
 * Answers {@code GET /api/v1/jobs} and {@code /jobs/{job_id}} (contract 1). The document says which
 * values of parameters arrive here.
 */
public final class JobsApi {

  private static final int DEFAULT_LIMIT = 50;
  private static final int DEFAULT_DAYS = 30;

  private final JobReports reports;

  /** Reads what the job record has. */
  public JobsApi(JobReports reports) {
    this.reports = reports;
  }

  /** A page of the tenant's jobs, the newest first. */
  public Object listJobs(
      @Header("status") String status,
      @Header("limit") String limit,
      @Header("cursor") String cursor,
      Exchange exchange) {
    String tenant = Answer.caller(exchange).tenant();
    int rows = limit == null ? DEFAULT_LIMIT : Integer.parseInt(limit);
    long before = cursor == null ? Long.MAX_VALUE : Long.parseLong(cursor);
    return Answer.of(exchange, () -> Optional.of(reports.page(tenant, status, before, rows)));
  }

  /** How many jobs ended on each of the last days. */
  public Object countDays(@Header("days") String days, Exchange exchange) {
    String tenant = Answer.caller(exchange).tenant();
    int wanted = days == null ? DEFAULT_DAYS : Integer.parseInt(days);
    return Answer.of(exchange, () -> Optional.of(reports.days(tenant, wanted)));
  }

  /** One job. */
  public Object getJob(@Header("job_id") String id, Exchange exchange) {
    String tenant = Answer.caller(exchange).tenant();
    return Answer.of(exchange, () -> reports.find(tenant, Answer.id(id)));
  }
}
