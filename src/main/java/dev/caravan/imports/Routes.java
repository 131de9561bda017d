package dev.caravan.imports;

import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;

/** Takes routes that were made of templates away while the context runs. */
final class Routes {

  /** For polls under way; a job is waited for before. */
  private static final int STOP_SECONDS = 5;

  private Routes() {}

  /** Stops and removes a route with its definition; nothing happens when there is none. */
  static void remove(CamelContext context, String id) throws Exception {
    if (context.getRoute(id) != null) {
      context.getRouteController().stopRoute(id, STOP_SECONDS, TimeUnit.SECONDS);
      context.removeRoute(id);
    }
    ModelCamelContext model = (ModelCamelContext) context;
    RouteDefinition definition = model.getRouteDefinition(id);
    if (definition != null) {
      model.removeRouteDefinition(definition);
    }
  }
}
