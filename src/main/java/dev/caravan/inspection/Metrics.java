package dev.caravan.inspection;

import dev.caravan.job.JobEnd;
import dev.caravan.job.JobListener;
import dev.caravan.job.JobLoad;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import org.apache.camel.CamelContext;
import org.apache.camel.component.micrometer.MicrometerConstants;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyConfiguration;
import org.apache.camel.component.micrometer.routepolicy.MicrometerRoutePolicyFactory;

/**
 * Counts what this node does, and answers a scrape in the format of Prometheus. Every label has a
 * closed list of values, or is the id of a route; none has what a caller can make up.
 */
public final class Metrics implements JobListener, Handler<RoutingContext>, AutoCloseable {

  private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collections = new JvmGcMetrics();

  /** Counts the JVM at once; jobs as they end. */
  public Metrics() {
    new JvmMemoryMetrics().bindTo(registry);
    collections.bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
  }

  /** Counts the exchanges of the context's routes and what its circuit breakers do. */
  public void observe(CamelContext context) {
    context.getRegistry().bind(MicrometerConstants.METRICS_REGISTRY_NAME, registry);
    MicrometerRoutePolicyConfiguration routes = new MicrometerRoutePolicyConfiguration();
    routes.setContextEnabled(false);
    routes.setExternalRedeliveries(false); // there are no brokers
    MicrometerRoutePolicyFactory factory = new MicrometerRoutePolicyFactory();
    factory.setCamelContext(context);
    factory.setMeterRegistry(registry);
    factory.setPolicyConfiguration(routes);
    factory.setSkipCamelInfo(true); // versions
    context.getRegistry().bind("metricsRoutePolicyFactory", factory);
  }

  /** Has the scrape tell what waits in the database, too. */
  public void observe(Backlog backlog) {
    backlog.bindTo(registry);
  }

  @Override
  public void ended(JobEnd end) {
    registry
        .counter(
            "caravan.jobs",
            "kind",
            end.kind(),
            "state",
            end.state().text(),
            "code",
            end.code() == null ? "" : end.code().name())
        .increment();
    end.loads().forEach(load -> count(end.kind(), load));
  }

  private void count(String kind, JobLoad load) {
    String status = load.status().name().toLowerCase(Locale.ROOT);
    registry.counter("caravan.loads", "kind", kind, "status", status).increment();
    if (load.status() != JobLoad.Status.LOADED) {
      return;
    }
    for (String count : JobLoad.COUNTS) {
      registry
          .counter("caravan.rows", "kind", kind, "result", count)
          .increment((double) load.count(count));
    }
    if (load.size() != null) {
      registry.counter("caravan.loaded.bytes", "kind", kind).increment((double) load.size());
    }
  }

  /** Answers a scrape. */
  @Override
  public void handle(RoutingContext call) {
    call.vertx()
        .executeBlocking(() -> registry.scrape(), false)
        .onSuccess(text -> call.response().putHeader("Content-Type", CONTENT_TYPE).end(text))
        .onFailure(call::fail);
  }

  @Override
  public void close() {
    collections.close();
    registry.close();
  }
}
