package dev.caravan.inspection;

import dev.caravan.job.jdbc.QueueBacklog;
import dev.caravan.outbox.Outbox;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits in the database: the queues and the outbox. It is asked when somebody scrapes, but not
 * more often than every three seconds, whoever scrapes; while it does not answer the values are
 * NaN.
 */
public final class Backlog {

  private static final Duration FRESH = Duration.ofSeconds(3);
  private static final Logger LOG = LoggerFactory.getLogger(Backlog.class);

  private final QueueBacklog jobs;
  private final Outbox outbox;
  private final List<String> queues;
  private final List<String> effects;
  private Read last;
  private long readAt;

  /** Empty maps would say that nothing waits; without an answer there is none. */
  private record Read(
      boolean answered,
      Map<String, QueueBacklog.Waiting> queues,
      Map<String, Outbox.Backlog> effects) {}

  /**
   * Reads of these.
   *
   * @param queues names of those that are shown
   * @param effects kinds of those that are shown
   */
  public Backlog(QueueBacklog jobs, Outbox outbox, List<String> queues, List<String> effects) {
    this.jobs = jobs;
    this.outbox = outbox;
    this.queues = List.copyOf(queues);
    this.effects = List.copyOf(effects);
  }

  void bindTo(MeterRegistry registry) {
    Gauge.builder("caravan.database.up", this, b -> b.read().answered() ? 1 : 0)
        .strongReference(true)
        .register(registry);
    for (String queue : queues) {
      gauge(registry, "caravan.queue.waiting", queue, QueueBacklog.Waiting::waiting);
      gauge(registry, "caravan.queue.admitted", queue, QueueBacklog.Waiting::admitted);
      gauge(registry, "caravan.queue.oldest.seconds", queue, QueueBacklog.Waiting::oldestSeconds);
    }
    for (String kind : effects) {
      effectGauge(registry, "caravan.outbox.pending", kind, Outbox.Backlog::pending);
      effectGauge(registry, "caravan.outbox.given.up", kind, Outbox.Backlog::givenUp);
      effectGauge(registry, "caravan.outbox.oldest.seconds", kind, Outbox.Backlog::oldestSeconds);
    }
  }

  private void gauge(
      MeterRegistry registry,
      String name,
      String queue,
      ToDoubleFunction<QueueBacklog.Waiting> value) {
    Gauge.builder(
            name,
            this,
            b -> of(b.read(), value, b.read().queues().get(queue), QueueBacklog.Waiting.NONE))
        .tag("queue", queue)
        .strongReference(true)
        .register(registry);
  }

  private void effectGauge(
      MeterRegistry registry, String name, String kind, ToDoubleFunction<Outbox.Backlog> value) {
    Gauge.builder(
            name, this, b -> of(b.read(), value, b.read().effects().get(kind), Outbox.Backlog.NONE))
        .tag("kind", kind)
        .strongReference(true)
        .register(registry);
  }

  private static <T> double of(Read read, ToDoubleFunction<T> value, T found, T none) {
    return read.answered() ? value.applyAsDouble(found == null ? none : found) : Double.NaN;
  }

  private synchronized Read read() {
    if (last == null || System.nanoTime() - readAt > FRESH.toNanos()) {
      try {
        last = new Read(true, jobs.read(), outbox.backlog());
      } catch (SQLException e) {
        LOG.warn("The metrics are without the queues: {}", e.getMessage());
        last = new Read(false, Map.of(), Map.of());
      }
      readAt = System.nanoTime();
    }
    return last;
  }
}
