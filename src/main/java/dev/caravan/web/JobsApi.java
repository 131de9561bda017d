package dev.caravan.web;

import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JobReports;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Answers {@code GET /api/v1/jobs}, {@code /jobs/{job_id}} and {@code /health} (contract 1). */
public final class JobsApi {

  private static final int DEFAULT_LIMIT = 50;
  private static final int MAX_LIMIT = 200;

  private final JobReports reports;

  /** Reads what the job record has. */
  public JobsApi(JobReports reports) {
    this.reports = reports;
  }

  /** The newest jobs first. */
  public Object list(
      @Header("status") String status, @Header("limit") String limit, Exchange exchange) {
    boolean known =
        status == null || Arrays.stream(JobState.values()).anyMatch(s -> s.text().equals(status));
    if (!known) {
      String allowed =
          Arrays.stream(JobState.values()).map(JobState::text).collect(Collectors.joining(", "));
      return Answer.badParameter(exchange, "status: allowed is one of " + allowed);
    }
    OptionalInt rows = Answer.limit(limit, DEFAULT_LIMIT, MAX_LIMIT);
    if (rows.isEmpty()) {
      return Answer.badLimit(exchange, MAX_LIMIT);
    }
    return Answer.of(exchange, () -> Optional.of(reports.newest(status, rows.getAsInt())));
  }

  /** One job; 404 when there is none of the id, whatever it looks like. */
  public Object show(@Header("job_id") String id, Exchange exchange) {
    Optional<UUID> job = Answer.jobId(id);
    return Answer.of(exchange, () -> job.isEmpty() ? Optional.empty() : reports.find(job.get()));
  }

  /** 200 while the database answers, 503 while it does not. */
  public Object health(Exchange exchange) {
    return Answer.of(exchange, () -> Optional.of(reports.health()));
  }
}
