package dev.caravan.imports;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.copyupsert.CopyUpsertLoad;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import dev.caravan.pgload.LoadMode;
import dev.caravan.pgload.Rejects;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.project.ProjectConfig;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
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

  private final ProjectConfig project;
  private final DataSource target;
  private final ImportJobs jobs;

  /** What the job is told. */
  record Told(UUID load, String file) {}

  Replay(ProjectConfig project, DataSource target, ImportJobs jobs) {
    this.project = project;
    this.target = target;
    this.jobs = jobs;
  }

  /** The id of the route that does it. */
  static String route(ProjectConfig project) {
    return "replay-" + project.project();
  }

  /** A request to replay the fixed records of a load, which came from a file of the name. */
  public JobRequest request(UUID load, String file) {
    return jobs.request(KIND, route(project), new Told(load, file));
  }

  @Override
  public void process(Exchange exchange) {
    Message message = exchange.getMessage();
    Told told = Parameters.read(message.getBody(String.class), Told.class);
    CopyUpsertLoad of = LoadPlanner.load(project, told.file(), true);
    Rejects.Fixed fixed = fixed(told.load());
    exchange.setProperty(FIXED, fixed);
    exchange.setProperty(KIND, told);
    char delimiter = of.format().delimiter();
    String header =
        fixed.columns().stream()
            .map(name -> '"' + name.replace("\"", "\"\"") + '"')
            .collect(Collectors.joining(String.valueOf(delimiter)));
    String csv = header + "\n" + String.join("\n", fixed.records()) + "\n";
    message.setHeader(Exchange.FILE_NAME, told.file());
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
            .withTrailer(Optional.empty()),
        Optional.empty(),
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
    Told told = exchange.getProperty(KIND, Told.class);
    try (Connection connection = target.getConnection()) {
      Rejects.replayed(connection, told.load(), fixed.lines());
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot note what was replayed of load " + told.load(), e);
    }
  }
}
