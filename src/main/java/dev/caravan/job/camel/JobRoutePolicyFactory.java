package dev.caravan.job.camel;

import dev.caravan.job.Retry;
import dev.caravan.job.jdbc.JdbcJobRepository;
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

  /** Writes attempts there, and says how long to wait for the next. */
  public JobRoutePolicyFactory(JdbcJobRepository jobs, Retry retry) {
    this.jobs = jobs;
    this.retry = retry;
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
        retry);
  }
}
