package dev.caravan.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dev.caravan.job.JobRequest;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.job.jdbc.JobReports.FileLoad;
import dev.caravan.pgload.Rejects;
import dev.caravan.setup.HostWaits;
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
import javax.sql.DataSource;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Answers {@code /api/v1/jobs/{job_id}/rejects}: shows what was refused, and has it mended. */
public final class RejectsApi {

  private static final int DEFAULT_LIMIT = 100;

  private static final Problem WHICH_FILE =
      new Problem(
          ProblemCode.BAD_PARAMETER,
          "The job has loaded no such file, or several: name one by the parameter file.");

  private static final Problem NOT_CONFIGURED =
      new Problem(
          ProblemCode.NOT_FOUND,
          "The project of the job is not configured any more; its database is not known.");

  private static final ObjectMapper JSON =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

  private final JobReports reports;
  private final Lookup<String, DataSource> targets;
  private final Lookup<FileLoad, Optional<JobRequest>> replays;
  private final JobLauncher launcher;
  private final HostWaits waits;

  /** Finds what stands in the database. */
  @FunctionalInterface
  public interface Lookup<A, B> {
    /** Fails while the database is away. */
    B of(A asked) throws SQLException;
  }

  /**
   * Reads and mends what loads refused.
   *
   * @param reports know the project of a job
   * @param targets the database that a project loads into, by the project's key; null for none
   * @param replays a request to replay what was fixed of a load; empty when its project is gone
   */
  public RejectsApi(
      JobReports reports,
      Lookup<String, DataSource> targets,
      Lookup<FileLoad, Optional<JobRequest>> replays,
      JobLauncher launcher,
      HostWaits waits) {
    this.waits = waits;
    this.reports = reports;
    this.targets = targets;
    this.replays = replays;
    this.launcher = launcher;
  }

  /** A page of the refused records, those after a line of the source. */
  public Object listRejects(
      @Header("job_id") String id,
      @Header("file") String file,
      @Header("after") String after,
      @Header("limit") String limit,
      Exchange exchange) {
    long line = after == null ? 0 : Long.parseLong(after);
    int rows = limit == null ? DEFAULT_LIMIT : Integer.parseInt(limit);
    return ofTarget(
        id,
        file,
        exchange,
        (connection, load) -> json(Rejects.list(connection, load.loadId(), line, rows)));
  }

  private static String json(Rejects.Page page) {
    try {
      return JSON.writeValueAsString(page);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All refused records, as a stream of CSV to save. */
  public Object getRejectsCsv(
      @Header("job_id") String id, @Header("file") String file, Exchange exchange) {
    return ofTarget(
        id,
        file,
        exchange,
        (connection, load) -> {
          InputStream csv = csv(connection, load.loadId());
          String disposition = "attachment; filename=\"rejects-%s.csv\"".formatted(load.loadId());
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

  /** Notes how a refused record should have been. */
  public Object fixReject(
      @Header("job_id") String id,
      @Header("line") String line,
      @Header("file") String file,
      @Body String body,
      Exchange exchange)
      throws JsonProcessingException {
    String raw = JSON.readTree(body).get("raw").textValue();
    return ofTarget(
        id,
        file,
        exchange,
        (connection, load) -> {
          if (!Rejects.fix(connection, load.loadId(), Long.parseLong(line), raw)) {
            return Answer.problem(exchange, RequestCheck.NOT_FOUND);
          }
          return Answer.gone(exchange).orElseThrow();
        });
  }

  /** Loads the fixed records, as a job of its own. */
  public Object replayRejects(
      @Header("job_id") String id, @Header("file") String file, Exchange exchange) {
    return ofTarget(
        id,
        file,
        exchange,
        (connection, load) -> {
          String tenant = Answer.caller(exchange).tenant();
          Optional<JobRequest> request = replays.of(load);
          if (request.isEmpty()) {
            return Answer.problem(exchange, NOT_CONFIGURED);
          }
          UUID job = launcher.launch(request.get().tenant(tenant).retryOf(Answer.id(id))).jobId();
          Answer.accepted(exchange, "/api/v1/jobs/" + job);
          return "{\"job_id\":\"%s\",\"status\":\"queued\"}".formatted(job);
        });
  }

  @FunctionalInterface
  private interface TargetQuery {
    Object run(Connection connection, FileLoad load) throws SQLException;
  }

  /** Asks the database that the job loaded into: the rejects are there. */
  private Object ofTarget(String id, String file, Exchange exchange, TargetQuery query) {
    return Answer.waiting(
        exchange,
        waits,
        () -> {
          UUID job = Answer.id(id);
          String tenant = Answer.caller(exchange).tenant();
          if (reports.state(tenant, job).isEmpty()) {
            return Optional.empty();
          }
          Optional<FileLoad> load = reports.load(tenant, job, file);
          return Optional.of(
              load.isPresent()
                  ? ofLoad(load.get(), exchange, query)
                  : Answer.problem(exchange, WHICH_FILE));
        });
  }

  private Object ofLoad(FileLoad load, Exchange exchange, TargetQuery query) throws SQLException {
    DataSource target = targets.of(load.project());
    if (target == null) {
      return Answer.problem(exchange, NOT_CONFIGURED);
    }
    try (Connection connection = target.getConnection()) {
      return query.run(connection, load);
    }
  }
}
