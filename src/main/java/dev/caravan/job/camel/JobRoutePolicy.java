package dev.caravan.job.camel;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.FileResult;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobListener;
import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JdbcJobRepository;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Route;
import org.apache.camel.support.RoutePolicySupport;
import org.apache.camel.util.StringHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Writes each exchange of its route as a job. It observes and cannot refuse: Camel logs what it
 * throws and runs the route all the same.
 */
final class JobRoutePolicy extends RoutePolicySupport {

  /** Exchange property and logging key of the job id. */
  static final String JOB_ID = "CaravanJobId";

  static final String MDC_KEY = "job";

  private static final Logger LOG = LoggerFactory.getLogger(JobRoutePolicy.class);

  private final String kind;
  private final String project;
  private final JdbcJobRepository jobs;
  private final List<JobListener> listeners;

  JobRoutePolicy(String kind, String project, JdbcJobRepository jobs, List<JobListener> listeners) {
    this.kind = kind;
    this.project = project;
    this.jobs = jobs;
    this.listeners = listeners;
  }

  @Override
  public void onExchangeBegin(Route route, Exchange exchange) {
    UUID id = UUID.randomUUID();
    MDC.put(MDC_KEY, id.toString());
    exchange.setProperty(JOB_ID, id);
    exchange.getMessage().setHeader(CopyUpsertConstants.LOAD_ID, id);
    try {
      jobs.start(id, kind, project);
    } catch (SQLException e) {
      LOG.error("Job {} runs without its record: {}", id, e.getMessage());
    }
  }

  @Override
  public void onExchangeDone(Route route, Exchange exchange) {
    JobEnd end = end(exchange);
    try {
      jobs.start(end.jobId(), kind, project); // if the database was away when it began
      jobs.end(end);
    } catch (SQLException e) {
      LOG.error("Job {} is {}, which could not be written", end.jobId(), end.state().text(), e);
    }
    if (end.code() != null) {
      LOG.error("Job failed: {} {}", end.code(), end.message());
    }
    listeners.forEach(listener -> listener.ended(end));
    MDC.remove(MDC_KEY);
  }

  private JobEnd end(Exchange exchange) {
    Exception cause = exchange.getException();
    if (cause == null) {
      // A route that handles its errors, or sends them elsewhere, has failed all the same.
      cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    }
    FailureCode code = cause == null ? null : code(cause);
    if (code == FailureCode.INTERNAL) {
      LOG.error("A defect of Caravan", cause);
    }
    return new JobEnd(
        exchange.getProperty(JOB_ID, UUID.class),
        project,
        code == null ? JobState.COMPLETED : JobState.FAILED,
        1 + exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 0, Integer.class),
        code,
        cause == null ? null : message(cause),
        List.of(fileResult(exchange.getMessage(), code)));
  }

  /** The code of what went wrong; anything that does not know its code is our defect. */
  static FailureCode code(Exception cause) {
    return cause instanceof CaravanException known ? known.code() : FailureCode.INTERNAL;
  }

  static String message(Exception cause) {
    return cause instanceof CaravanException ? cause.getMessage() : cause.toString();
  }

  private static FileResult fileResult(Message message, FailureCode code) {
    Long modified = message.getHeader(Exchange.FILE_LAST_MODIFIED, Long.class);
    return new FileResult(
        message.getHeader(Exchange.FILE_NAME, "", String.class),
        message.getHeader(Exchange.FILE_LENGTH, Long.class),
        modified == null ? null : Instant.ofEpochMilli(modified),
        message.getHeader(CopyUpsertConstants.TABLE, String.class),
        status(message, code),
        message.getHeader(CopyUpsertConstants.SAME_AS, UUID.class),
        counts(message),
        message.getHeader(CopyUpsertConstants.ELAPSED, Duration.class),
        warnings(message));
  }

  private static FileResult.Status status(Message message, FailureCode code) {
    if (code != null) {
      return FileResult.Status.FAILED;
    }
    String outcome =
        message.getHeader(CopyUpsertConstants.OUTCOME, FileResult.Status.LOADED, String.class);
    return FileResult.Status.valueOf(outcome);
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
