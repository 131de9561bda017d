package dev.caravan.job.camel;

import dev.caravan.copyupsert.LoadJournal;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.FaultPoint;
import dev.caravan.job.Attempt;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobState;
import dev.caravan.job.Retry;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.job.queue.StopReason;
import dev.caravan.pgload.Fence;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.CamelExchangeException;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.RoutePolicySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Writes each exchange of its route as a job: as an attempt of the job that the queue sent it for,
 * or, when something else started the route, as a job of its own. It observes and cannot refuse:
 * Camel logs what it throws and runs the route all the same.
 */
final class JobRoutePolicy extends RoutePolicySupport {

  /** Exchange property: true once nobody needs to find out how the attempt ended. */
  static final String END_IS_WRITTEN = "CaravanEndIsWritten";

  private static final String JOB_ID = "CaravanJobId";

  /** Logging key of the job id. */
  static final String MDC_KEY = "job";

  /** Failures that may hide a commit. */
  private static final Set<FailureCode> MAY_BE_LOST =
      Set.of(FailureCode.DB_UNAVAILABLE, FailureCode.TIMEOUT, FailureCode.INTERRUPTED);

  /** With the usual longest pause of 30 s most of an hour. */
  private static final int LOOK_UPS = 100;

  private static final Logger LOG = LoggerFactory.getLogger(JobRoutePolicy.class);

  private final String kind;
  private final String project;
  private final JdbcJobRepository jobs;
  private final Retry retry;

  JobRoutePolicy(String kind, String project, JdbcJobRepository jobs, Retry retry) {
    this.kind = kind;
    this.project = project;
    this.jobs = jobs;
    this.retry = retry;
  }

  @Override
  public void onExchangeBegin(Route route, Exchange exchange) {
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    UUID id = job == null ? UUID.randomUUID() : job.attempt().jobId();
    MDC.put(MDC_KEY, id.toString());
    exchange.setProperty(JOB_ID, id);
    if (job == null) {
      start(id);
      exchange.setProperty(
          LoadJournal.PROPERTY, new JobLoads(jobs, id, 0, project, Optional.empty()));
    } else {
      begin(job, exchange);
    }
  }

  private void begin(RunningJob job, Exchange exchange) {
    Attempt attempt = job.attempt();
    Optional<Fence> fence =
        FaultPoint.withoutFence()
            ? Optional.empty()
            : Optional.of(new Fence(attempt.jobId(), attempt.epoch(), attempt.mayWork()));
    JobLoads loads = new JobLoads(jobs, attempt.jobId(), attempt.epoch(), attempt.project(), fence);
    exchange.setProperty(LoadJournal.PROPERTY, loads);
    job.progress(loads::progress);
    job.onStop(loads::stop);
    LOG.info(
        "Attempt {} of {} of job {} ({})",
        attempt.number(),
        attempt.maxAttempts(),
        attempt.jobId(),
        attempt.route());
  }

  private void start(UUID id) {
    try {
      jobs.start(id, kind, JobRequest.OPERATOR, project);
    } catch (SQLException e) {
      LOG.error("Job {} runs without its record: {}", id, e.getMessage());
    }
  }

  @Override
  public void onExchangeDone(Route route, Exchange exchange) {
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    boolean stopped = job != null && job.stopped().isPresent();
    Exception cause = cause(exchange, stopped);
    JobLoads.of(exchange).close();
    try {
      if (job == null) {
        endAlone(exchange, cause);
      } else {
        endAttempt(job, exchange, cause);
      }
      exchange.setProperty(END_IS_WRITTEN, true);
    } catch (SQLException e) {
      LOG.error("How the job ended could not be written: {}", e.getMessage());
    } finally {
      MDC.remove(MDC_KEY);
    }
  }

  /** A stop closes what the attempt reads from, which then fails in ways that are no defect. */
  private static Exception cause(Exchange exchange, boolean stopped) {
    Exception cause = exchange.getException();
    if (cause == null) {
      // A route that handles its errors, or sends them elsewhere, has failed all the same.
      cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    }
    // A split that stops with its first exception wraps it.
    while (cause instanceof CamelExchangeException && cause.getCause() instanceof Exception inner) {
      cause = inner;
    }
    if (cause != null && code(cause) == FailureCode.INTERNAL && !stopped) {
      LOG.error("A defect of Caravan", cause);
    }
    return cause;
  }

  private void endAlone(Exchange exchange, Exception cause) throws SQLException {
    UUID id = exchange.getProperty(JOB_ID, UUID.class);
    jobs.start(id, kind, JobRequest.OPERATOR, project); // if the database was away when it began
    JobLoads.of(exchange).writeAgain();
    end(end(id, kind, project, 1, cause, exchange), 0);
  }

  private void endAttempt(RunningJob job, Exchange exchange, Exception cause) throws SQLException {
    Attempt attempt = job.attempt();
    StopReason stopped = cause == null ? null : job.stopped().orElse(null);
    FailureCode code = stopped == null ? code(cause) : stopped.code();
    boolean unsure =
        attempt.unsure()
            || (code != null
                && MAY_BE_LOST.contains(code)
                && JobLoads.of(exchange)
                    .isMerging()); // the answer to the commit may be what was lost
    int lookUps = attempt.number() - attempt.maxAttempts();
    if (code == FailureCode.SUPERSEDED) {
      LOG.info("Attempt {} changed nothing: {}", attempt.number(), message(cause));
    } else if (stopped == StopReason.SHUTDOWN) {
      jobs.again(attempt, null, null, unsure, Duration.ZERO);
    } else if (code != null && code.retryable() && attempt.hasSuccessor()) {
      LOG.warn("{} {} It is tried again.", code, message(cause));
      jobs.again(attempt, code, message(cause), unsure, delay(attempt, cause));
    } else if (unsure && isTransient(code) && lookUps < LOOK_UPS) {
      LOG.warn("{} {} Whether its rows are there is looked up.", code, message(cause));
      jobs.lookUp(
          attempt,
          code,
          stopped == null ? message(cause) : stopped.toString(),
          lookUps < 1 ? Duration.ZERO : retry.delay(lookUps));
    } else {
      Exception reason = cause;
      if (stopped != null) {
        reason = new CaravanException(code, stopped + " after attempt " + attempt.number(), cause);
      } else if (code == FailureCode.ATTEMPTS_EXHAUSTED) {
        reason = jobs.lastError(attempt.jobId()).map(Exception.class::cast).orElse(cause);
      }
      end(
          end(
              attempt.jobId(),
              attempt.kind(),
              attempt.project(),
              attempt.number(),
              reason,
              exchange),
          attempt.epoch());
    }
  }

  private static boolean isTransient(FailureCode code) {
    return code != null && (code.retryable() || MAY_BE_LOST.contains(code));
  }

  /** The usual pause; a longer one when the source asks for it. */
  private Duration delay(Attempt attempt, Exception cause) {
    Duration usual = retry.delay(attempt.number());
    return cause instanceof CaravanException known
        ? known.retryAfter().filter(asked -> asked.compareTo(usual) > 0).orElse(usual)
        : usual;
  }

  private void end(JobEnd end, long epoch) throws SQLException {
    if (jobs.end(end, epoch) && end.code() != null) {
      LOG.error("Job failed: {} {}", end.code(), end.message());
    }
  }

  private static JobEnd end(
      UUID id, String kind, String project, int attempts, Exception cause, Exchange exchange) {
    JobLoads loads = JobLoads.of(exchange);
    FailureCode code = code(cause);
    JobState state =
        code == null
            ? JobState.COMPLETED
            : code == FailureCode.CANCELLED ? JobState.CANCELLED : JobState.FAILED;
    return new JobEnd(
        id,
        kind,
        project,
        state,
        attempts,
        code,
        cause == null ? loads.note() : message(cause),
        loads.ended(code, message(cause)));
  }

  /** The code of what went wrong; anything that does not know its code is our defect. */
  static FailureCode code(Exception cause) {
    if (cause == null) {
      return null;
    }
    return cause instanceof CaravanException known ? known.code() : FailureCode.INTERNAL;
  }

  static String message(Exception cause) {
    if (cause == null) {
      return null;
    }
    return cause instanceof CaravanException ? cause.getMessage() : cause.toString();
  }
}
