package dev.caravan.imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.copyupsert.CopyUpsertLoad;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import dev.caravan.job.Retry;
import dev.caravan.pgload.LoadMode;
import dev.caravan.pgload.Rejects;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.project.ProjectConfig;
import java.io.ByteArrayInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Loads the records of one load that were refused and have been fixed since: as a job of its own,
 * by the rules of the file that they came from, except that nothing else is replaced.
 */
public final class Replay implements Processor {

  private static final String KIND = "replay-rejects";
  private static final String FIXED = "CaravanFixedRecords";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ProjectConfig project;
  private final DataSource target;
  private final Retry retry;
  private final Duration timeout;

  /** What the job is told. */
  record Parameters(UUID load, String file) {}

  Replay(ProjectConfig project, DataSource target, Retry retry, Duration timeout) {
    this.project = project;
    this.target = target;
    this.retry = retry;
    this.timeout = timeout;
  }

  /** The id of the route that does it. */
  static String route(ProjectConfig project) {
    return "replay-" + project.project();
  }

  /** A request to replay the fixed records of a load, which came from a file of the name. */
  public JobRequest request(UUID load, String file) {
    try {
      return new JobRequest(KIND, project.project(), route(project))
          .connection(project.connection())
          .parameters(JSON.writeValueAsString(new Parameters(load, file)))
          .attempts(retry.attempts(), timeout);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Parameters parameters(String json) {
    try {
      return JSON.readValue(json, Parameters.class);
    } catch (JsonProcessingException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID, "parameters: " + e.getOriginalMessage(), e);
    }
  }

  @Override
  public void process(Exchange exchange) {
    Message message = exchange.getMessage();
    Parameters parameters = parameters(message.getBody(String.class));
    CopyUpsertLoad of = LoadPlanner.load(project, parameters.file(), true);
    Rejects.Fixed fixed = fixed(parameters.load());
    exchange.setProperty(FIXED, fixed);
    exchange.setProperty(KIND, parameters);
    char delimiter = of.format().delimiter();
    String header =
        fixed.columns().stream()
            .map(name -> '"' + name.replace("\"", "\"\"") + '"')
            .collect(Collectors.joining(String.valueOf(delimiter)));
    String csv = header + "\n" + String.join("\n", fixed.records()) + "\n";
    message.setHeader(Exchange.FILE_NAME, parameters.file());
    message.setHeader(CopyUpsertConstants.LOAD, onlyThese(of));
    message.setBody(new ByteArrayInputStream(csv.getBytes(StandardCharsets.UTF_8)));
  }

  /** The rest of the table stays as it is. */
  private static CopyUpsertLoad onlyThese(CopyUpsertLoad of) {
    LoadMode mode =
        switch (of.spec().mode()) {
          case REPLACE, REPLACE_RANGE ->
              of.spec().keyColumns().isEmpty() ? LoadMode.APPEND : LoadMode.UPSERT;
          case UPSERT, APPEND, INSERT_ONLY, SCD2 -> of.spec().mode();
        };
    return new CopyUpsertLoad(
        of.pipeline() + "#replay",
        of.spec().withOnlyRecords(mode),
        of.format()
            .withCharset(StandardCharsets.UTF_8)
            .withSkipLines(0)
            .withTrailer(java.util.Optional.empty()),
        java.util.Optional.empty(),
        true);
  }

  private Rejects.Fixed fixed(UUID load) {
    try (Connection connection = target.getConnection()) {
      Rejects.Fixed fixed = Rejects.fixed(connection, load);
      if (fixed.records().isEmpty()) {
        throw new CaravanException(
            FailureCode.EMPTY_FILE,
            "No record of load %s is fixed and not loaded.".formatted(load));
      }
      return fixed;
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot read the fixed records of load " + load, e);
    }
  }

  /** Route step after the load. */
  public void replayed(Exchange exchange) {
    Rejects.Fixed fixed = exchange.getProperty(FIXED, Rejects.Fixed.class);
    Parameters parameters = exchange.getProperty(KIND, Parameters.class);
    try (Connection connection = target.getConnection()) {
      Rejects.replayed(connection, parameters.load(), fixed.lines());
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot note what was replayed of load " + parameters.load(), e);
    }
  }
}
