package dev.caravan.web;

import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JobReports;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers {@code GET /api/v1/jobs}, {@code /jobs/{job_id}} and {@code /health} (contract 1). */
public final class JobsApi {

  private static final Logger LOG = LoggerFactory.getLogger(JobsApi.class);

  private static final int DEFAULT_LIMIT = 50;
  private static final int MAX_LIMIT = 200;

  private final JobReports reports;

  /** Reads what the job record has. */
  public JobsApi(JobReports reports) {
    this.reports = reports;
  }

  /** The newest jobs first. */
  public String list(
      @Header("status") String status, @Header("limit") String limit, Exchange exchange) {
    boolean known =
        status == null || Arrays.stream(JobState.values()).anyMatch(s -> s.text().equals(status));
    if (!known) {
      String allowed =
          Arrays.stream(JobState.values()).map(JobState::text).collect(Collectors.joining(", "));
      return problem(exchange, 400, "BAD_PARAMETER", "status: allowed is one of " + allowed);
    }
    if (limit != null && !(limit.matches("[0-9]{1,3}") && inRange(Integer.parseInt(limit)))) {
      return problem(
          exchange, 400, "BAD_PARAMETER", "limit: allowed is a number from 1 to " + MAX_LIMIT);
    }
    int rows = limit == null ? DEFAULT_LIMIT : Integer.parseInt(limit);
    return answer(exchange, () -> Optional.of(reports.newest(status, rows)));
  }

  private static boolean inRange(int limit) {
    return limit >= 1 && limit <= MAX_LIMIT;
  }

  /** One job; 404 when there is none of the id, whatever it looks like. */
  public String show(@Header("job_id") String id, Exchange exchange) {
    Optional<UUID> uuid = uuid(id);
    return answer(exchange, () -> uuid.isEmpty() ? Optional.empty() : reports.find(uuid.get()));
  }

  private static Optional<UUID> uuid(String text) {
    return text.matches("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
        ? Optional.of(UUID.fromString(text))
        : Optional.empty();
  }

  /** 200 while the database answers, 503 while it does not. */
  public String health(Exchange exchange) {
    return answer(exchange, () -> Optional.of(reports.health()));
  }

  @FunctionalInterface
  private interface Query {
    Optional<String> run() throws SQLException;
  }

  private static String answer(Exchange exchange, Query query) {
    try {
      Optional<String> json = query.run();
      exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
      return json.orElseGet(() -> problem(exchange, 404, "NOT_FOUND", "There is no such job."));
    } catch (SQLException e) {
      LOG.error("The API cannot read the database: {}", e.getMessage());
      exchange.getMessage().setHeader("Retry-After", 5);
      return problem(exchange, 503, "DB_UNAVAILABLE", "The database does not answer.");
    }
  }

  /**
   * RFC 9457, with the members that contract 5 shows. The detail is ours, never the caller's text.
   */
  private static String problem(Exchange exchange, int status, String code, String detail) {
    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, status);
    exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/problem+json");
    return "{\"status\":%d,\"error_code\":\"%s\",\"detail\":\"%s\"}"
        .formatted(status, code, detail);
  }
}
