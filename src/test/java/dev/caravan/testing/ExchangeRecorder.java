package dev.caravan.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.spi.CamelEvent.ExchangeEvent;
import org.apache.camel.support.EventNotifierSupport;

/** Headers, properties and variables of every exchange at one kind of event. */
public final class ExchangeRecorder extends EventNotifierSupport {

  private final Class<? extends ExchangeEvent> when;
  private final ConcurrentLinkedQueue<Map<String, String>> seen = new ConcurrentLinkedQueue<>();

  private ExchangeRecorder(Class<? extends ExchangeEvent> when) {
    this.when = when;
  }

  /** Begins to record. */
  public static ExchangeRecorder in(CamelContext context, Class<? extends ExchangeEvent> when) {
    ExchangeRecorder recorder = new ExchangeRecorder(when);
    context.getManagementStrategy().addEventNotifier(recorder);
    recorder.start();
    return recorder;
  }

  @Override
  public void notify(CamelEvent event) {
    if (when.isInstance(event)) {
      Exchange exchange = when.cast(event).getExchange();
      Map<String, String> all = new TreeMap<>();
      exchange.getMessage().getHeaders().forEach((k, v) -> all.put(k, String.valueOf(v)));
      exchange.getProperties().forEach((k, v) -> all.put("property " + k, String.valueOf(v)));
      exchange.getVariables().forEach((k, v) -> all.put("variable " + k, String.valueOf(v)));
      seen.add(all);
    }
  }

  /**
   * The names that there were since the last call; no value is one that {@code CamelHeaders} had.
   */
  public Set<String> names() {
    Set<String> names = new TreeSet<>();
    for (Map<String, String> one = seen.poll(); one != null; one = seen.poll()) {
      assertThat(one.toString()).doesNotContainIgnoringCase(CamelHeaders.MARK);
      one.keySet().forEach(name -> names.add(name.replaceAll("-[0-9A-F]{15}-[0-9A-F]{16}$", "")));
    }
    return names;
  }
}
