package dev.caravan.job.camel;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.copyupsert.CopyUpsertLoad;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.pgload.Rejects;
import dev.caravan.pgload.SqlFailure;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * First route step of a job that replays: the records of a load that were refused and have been
 * fixed since become the body of a load of their own.
 */
public final class RejectReplay implements Processor {

  /** Kind of the jobs. */
  public static final String KIND = "replay-rejects";

  private final Function<Exchange, Refused> told;

  /**
   * What a job is to replay.
   *
   * @param load whose records were refused
   * @param file that they came from
   * @param by how the file was loaded
   * @param target where the table is, and the rejects
   */
  public record Refused(UUID load, String file, CopyUpsertLoad by, DataSource target) {}

  /**
   * @param told reads what the job was told, which is the body
   */
  public RejectReplay(Function<Exchange, Refused> told) {
    this.told = told;
  }

  @Override
  public void process(Exchange exchange) {
    Message message = exchange.getMessage();
    Refused refused = told.apply(exchange);
    CopyUpsertLoad load = refused.by().ofRejects();
    UUID replay = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class).attempt().jobId();
    message.setHeader(CopyUpsertConstants.LOAD_ID, replay);
    message.setHeader(Exchange.FILE_NAME, refused.file());
    message.setHeader(CopyUpsertConstants.LOAD, load);
    message.setHeader(CopyUpsertConstants.DATA_SOURCE, refused.target());
    message.setBody(load.file(fixed(refused, replay)));
  }

  private static Rejects.Fixed fixed(Refused refused, UUID replay) {
    UUID load = refused.load();
    try (Connection connection = refused.target().getConnection()) {
      Rejects.Fixed fixed = Rejects.fixed(connection, load, replay);
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
}
