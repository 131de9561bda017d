package dev.caravan.job.camel;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Attempt;
import dev.caravan.job.Effect;
import dev.caravan.job.FileResult;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.queue.RunningJob;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiFunction;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.util.StringHelper;

/**
 * Route step after a load, and in the {@code doCatch} around it: writes what became of the file. A
 * file that fails does not keep the others from being loaded, unless the whole attempt is at fault.
 */
public final class FileRecorder implements Processor {

  /** These say nothing about the file: the attempt ends with them. */
  private static final Set<FailureCode> OF_THE_ATTEMPT =
      Set.of(
          FailureCode.SUPERSEDED,
          FailureCode.CANCELLED,
          FailureCode.ATTEMPTS_EXHAUSTED,
          FailureCode.DB_UNAVAILABLE);

  private final JdbcJobRepository jobs;
  private final BiFunction<Exchange, FileResult, List<Effect>> effects;

  /**
   * @param effects what is to happen because a file of the job is loaded
   */
  public FileRecorder(
      JdbcJobRepository jobs, BiFunction<Exchange, FileResult, List<Effect>> effects) {
    this.jobs = jobs;
    this.effects = effects;
  }

  /** What became of the files so far, in this attempt. */
  public static List<FileResult> files(Exchange exchange) {
    return JobRoutePolicy.files(exchange);
  }

  /** What there is to say of the job's files, although it does not fail: its message. */
  public static void note(Exchange exchange, String note) {
    JobRoutePolicy.note(exchange, note);
  }

  @Override
  public void process(Exchange exchange) throws Exception {
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    if (cause != null
        && (job.stopped().isPresent() || OF_THE_ATTEMPT.contains(JobRoutePolicy.code(cause)))) {
      throw cause;
    }
    FileResult file = result(exchange.getMessage(), cause);
    List<Effect> after = cause == null ? effects.apply(exchange, file) : List.<Effect>of();
    if (!record(job.attempt(), file, after)) {
      throw new CaravanException(
          FailureCode.SUPERSEDED, "Another attempt has the job, or it was cancelled.");
    }
    JobRoutePolicy.files(exchange).add(file);
    exchange.removeProperty(Exchange.EXCEPTION_CAUGHT);
  }

  /**
   * A record that fails is not the file's failure, which may be loaded: another attempt finds out.
   */
  private boolean record(Attempt attempt, FileResult file, List<Effect> after) {
    try {
      return jobs.record(attempt.jobId(), attempt.epoch(), attempt.project(), file, after);
    } catch (SQLException e) {
      throw new CaravanException(
          FailureCode.DB_UNAVAILABLE,
          "Cannot write down what became of %s: %s".formatted(file.file(), e.getMessage()),
          e);
    }
  }

  /** What the headers of a load and its failure say. */
  static FileResult result(Message message, Exception cause) {
    Long modified = message.getHeader(Exchange.FILE_LAST_MODIFIED, Long.class);
    return new FileResult(
        message.getHeader(Exchange.FILE_NAME, "", String.class),
        message.getHeader(CopyUpsertConstants.LOAD_ID, UUID.class),
        message.getHeader(Exchange.FILE_LENGTH, Long.class),
        modified == null ? null : Instant.ofEpochMilli(modified),
        message.getHeader(CopyUpsertConstants.TABLE, String.class),
        cause == null
            ? FileResult.Status.valueOf(
                message.getHeader(
                    CopyUpsertConstants.OUTCOME, FileResult.Status.LOADED, String.class))
            : FileResult.Status.FAILED,
        message.getHeader(CopyUpsertConstants.SAME_AS, UUID.class),
        counts(message),
        message.getHeader(CopyUpsertConstants.ELAPSED, Duration.class),
        warnings(message),
        cause == null ? null : JobRoutePolicy.code(cause),
        cause == null ? null : JobRoutePolicy.message(cause));
  }

  private static Map<String, Long> counts(Message message) {
    Map<String, Long> counts = new LinkedHashMap<>();
    for (String name : FileResult.COUNTS) {
      String header = CopyUpsertConstants.COUNT_PREFIX + StringHelper.capitalize(name);
      counts.put(name, message.getHeader(header, 0L, Long.class));
    }
    return counts;
  }

  @SuppressWarnings("unchecked")
  private static List<String> warnings(Message message) {
    return message.getHeader(CopyUpsertConstants.WARNINGS, List.of(), List.class);
  }
}
