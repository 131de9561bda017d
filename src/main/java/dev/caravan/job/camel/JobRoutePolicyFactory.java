package dev.caravan.job.camel;

import dev.caravan.job.JobListener;
import dev.caravan.job.Retry;
import dev.caravan.job.jdbc.JdbcJobRepository;
import java.util.List;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.NamedNode;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;

/** Gives every route of group {@code jobs} its {@link JobRoutePolicy}; Camel finds it by type. */
public final class JobRoutePolicyFactory implements RoutePolicyFactory {

  /** Routes of this group are jobs. Sub-routes are not: they would be a second job. */
  static final String GROUP = "jobs";

  private final JdbcJobRepository jobs;
  private final Retry retry;
  private final List<JobListener> listeners;

  /** The listeners are told in their order. */
  public JobRoutePolicyFactory(JdbcJobRepository jobs, Retry retry, List<JobListener> listeners) {
    this.jobs = jobs;
    this.retry = retry;
    this.listeners = List.copyOf(listeners);
  }

  @Override
  public RoutePolicy createRoutePolicy(
      CamelContext camelContext, String routeId, NamedNode routeNode) {
    if (!(routeNode instanceof RouteDefinition route) || !GROUP.equals(route.getGroup())) {
      return null;
    }
    Map<String, Object> parameters =
        route.getTemplateParameters() == null ? Map.of() : route.getTemplateParameters();
    return new JobRoutePolicy(
        String.valueOf(parameters.getOrDefault("kind", routeId)),
        String.valueOf(parameters.getOrDefault("project", "")),
        jobs,
        retry,
        listeners);
  }
}
