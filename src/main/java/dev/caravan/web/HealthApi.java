package dev.caravan.web;

import dev.caravan.job.jdbc.JobReports;
import java.util.Optional;
import org.apache.camel.Exchange;

/** Answers {@code /health/live}, {@code /health/ready} and {@code GET /api/v1/health}. */
public final class HealthApi {

  private static final String UP = "{\"status\":\"up\"}";
  private static final String UP_WITH_DATABASE = "{\"status\":\"up\",\"database\":\"up\"}";

  private final JobReports reports;

  /** Asks the database of the jobs. */
  public HealthApi(JobReports reports) {
    this.reports = reports;
  }

  /** 200 while the process answers. */
  public Object live(Exchange exchange) {
    return Answer.of(exchange, () -> Optional.of(UP));
  }

  /** 200 while the database answers, 503 while it does not. */
  public Object ready(Exchange exchange) {
    return Answer.of(
        exchange,
        () -> {
          reports.ping();
          return Optional.of(UP);
        });
  }

  /** As ready, with what is up. */
  public Object health(Exchange exchange) {
    return Answer.of(
        exchange,
        () -> {
          reports.ping();
          return Optional.of(UP_WITH_DATABASE);
        });
  }
}
