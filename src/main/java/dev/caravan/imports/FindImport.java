package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Attempt;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.pgload.SqlFailure;
import java.sql.SQLException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * First step of every job of a project: finds the project that the job's record names, as it is
 * now, for the steps that follow. The attempt has it to its end, whatever becomes of the project.
 */
final class FindImport implements Processor {

  private final Imports imports;

  FindImport(Imports imports) {
    this.imports = imports;
  }

  @Override
  public void process(Exchange exchange) {
    Attempt attempt = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class).attempt();
    String key = attempt.project();
    try {
      exchange.setProperty(SftpImport.PROPERTY, imports.find(key).orElseThrow(() -> gone(key)));
    } catch (SQLException e) {
      throw unreadable(key, e);
    }
  }

  static CaravanException gone(String key) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "There is no project %s on this node; is it still configured?".formatted(key));
  }

  static CaravanException unreadable(String key, SQLException e) {
    return SqlFailure.of("Cannot look up project " + key, e);
  }
}
