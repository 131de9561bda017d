package dev.caravan.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.pgload.Rejects;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Answers {@code GET /api/v1/jobs/{job_id}/rejects} and {@code rejects.csv}. */
public final class RejectsApi {

  private static final int DEFAULT_LIMIT = 100;

  private static final ObjectMapper JSON =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

  private final JobReports reports;
  private final Function<String, DataSource> targets;

  /**
   * Reads what loads refused.
   *
   * @param reports know the project of a job
   * @param targets the database that a project loads into, by the project's key; null for none
   */
  public RejectsApi(JobReports reports, Function<String, DataSource> targets) {
    this.reports = reports;
    this.targets = targets;
  }

  /** A page of the refused records, those after a line of the source. */
  public Object list(
      @Header("job_id") String id,
      @Header("after") String after,
      @Header("limit") String limit,
      Exchange exchange) {
    long line = after == null ? 0 : Long.parseLong(after);
    int rows = limit == null ? DEFAULT_LIMIT : Integer.parseInt(limit);
    return ofTarget(
        id, exchange, (connection, job) -> json(Rejects.list(connection, job, line, rows)));
  }

  private static String json(Rejects.Page page) {
    try {
      return JSON.writeValueAsString(page);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All refused records, as a stream of CSV to save. */
  public Object csv(@Header("job_id") String id, Exchange exchange) {
    return ofTarget(
        id,
        exchange,
        (connection, job) -> {
          InputStream csv = csv(connection, job);
          String disposition = "attachment; filename=\"rejects-%s.csv\"".formatted(job);
          exchange.getMessage().setHeader("Content-Disposition", disposition);
          exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "text/csv; charset=utf-8");
          return csv;
        });
  }

  /**
   * Goes through a file, which is gone when the stream is closed: a slow caller holds no
   * connection, and a database that fails midway is a 503 and no answer that looks whole.
   */
  private static InputStream csv(Connection connection, UUID job) throws SQLException {
    try {
      Path file = Files.createTempFile("caravan-rejects", ".csv");
      try {
        try (OutputStream out = Files.newOutputStream(file)) {
          Rejects.writeCsv(connection, job, out);
        }
        return Files.newInputStream(file, StandardOpenOption.DELETE_ON_CLOSE);
      } catch (IOException | SQLException | RuntimeException e) {
        Files.deleteIfExists(file);
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @FunctionalInterface
  private interface TargetQuery {
    Object run(Connection connection, UUID job) throws SQLException;
  }

  /** Asks the database that the job loaded into: the rejects are there. */
  private Object ofTarget(String id, Exchange exchange, TargetQuery query) {
    return Answer.of(
        exchange,
        () -> {
          UUID job = Answer.id(id);
          Optional<String> project = reports.project(Answer.caller(exchange).tenant(), job);
          return project.isPresent()
              ? Optional.of(ofProject(project.get(), job, exchange, query))
              : Optional.empty();
        });
  }

  private Object ofProject(String project, UUID job, Exchange exchange, TargetQuery query)
      throws SQLException {
    DataSource target = targets.apply(project);
    if (target == null) {
      return Answer.problem(
          exchange,
          new Problem(
              ProblemCode.NOT_FOUND,
              "The project of the job is not configured any more; its database is not known."));
    }
    try (Connection connection = target.getConnection()) {
      return query.run(connection, job);
    }
  }
}
