package dev.caravan.job.camel;

import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.queue.JobWork;
import dev.caravan.job.queue.RunningJob;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;

/**
 * Does the work of a job by the route that it names: one attempt is one exchange. {@link
 * JobRoutePolicy} observes it and writes its end.
 */
public final class RouteWork implements JobWork {

  /** Exchange property: the {@link RunningJob}. */
  public static final String RUNNING_JOB = "CaravanRunningJob";

  private final CamelContext context;
  private final JdbcJobRepository jobs;
  private final Supplier<Set<String>> left;

  /**
   * Sends to the routes of the context.
   *
   * @param left projects whose jobs are other nodes'
   */
  public RouteWork(CamelContext context, JdbcJobRepository jobs, Supplier<Set<String>> left) {
    this.context = context;
    this.jobs = jobs;
    this.left = left;
  }

  @Override
  public Set<String> left() {
    return left.get();
  }

  @Override
  public void run(RunningJob job) throws Exception {
    String route = job.attempt().route();
    if (context.getRoute(route) == null) {
      jobs.end(noRoute(job), job.attempt().epoch());
      return;
    }
    try (ProducerTemplate template = context.createProducerTemplate(1)) {
      Exchange exchange =
          template.send(
              "direct:" + route,
              e -> {
                e.setProperty(RUNNING_JOB, job);
                e.getMessage().setBody(job.attempt().parameters());
              });
      if (!exchange.getProperty(JobRoutePolicy.END_IS_WRITTEN, false, Boolean.class)) {
        throw exchange.getException() == null
            ? new IllegalStateException("The end of job " + job.attempt().jobId() + " is unknown.")
            : exchange.getException();
      }
    }
  }

  private static JobEnd noRoute(RunningJob job) {
    return new JobEnd(
        job.attempt().jobId(),
        job.attempt().kind(),
        job.attempt().project(),
        JobState.FAILED,
        job.attempt().number(),
        FailureCode.CONFIG_INVALID,
        "There is no route %s on this node.".formatted(job.attempt().route()),
        List.of());
  }
}
