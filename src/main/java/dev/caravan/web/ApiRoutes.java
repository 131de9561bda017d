package dev.caravan.web;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.camel.builder.RouteBuilder;

/**
 * One route for each call of the document: the call's operationId is the route's id and the name of
 * the method that answers it, so that a call has one name from the document to the code.
 */
public final class ApiRoutes extends RouteBuilder {

  private final ApiDocument document;
  private final Set<String> servedElsewhere;
  private final List<Object> apis;

  /**
   * @param servedElsewhere operationIds that the web server answers without a route
   * @param apis have one public method for each other operationId among them
   */
  ApiRoutes(ApiDocument document, Set<String> servedElsewhere, List<Object> apis) {
    this.document = document;
    this.servedElsewhere = Set.copyOf(servedElsewhere);
    this.apis = List.copyOf(apis);
  }

  @Override
  public void configure() {
    onException(Throwable.class).handled(true).bean(new FailedCall(), "answer");
    for (Operation operation : document.operations()) {
      String id = operation.id();
      if (!servedElsewhere.contains(id)) {
        rest()
            .verb(operation.method().toLowerCase(Locale.ROOT), operation.template())
            .id("call-" + id)
            .to("direct:" + id);
        from("direct:" + id).routeId(id).bean(answers(id), id);
      }
    }
  }

  private Object answers(String id) {
    List<Object> all =
        apis.stream()
            .filter(
                api ->
                    Arrays.stream(api.getClass().getMethods())
                        .map(Method::getName)
                        .anyMatch(id::equals))
            .toList();
    if (all.size() != 1) {
      throw new IllegalStateException(
          "operationId %s of the document: %d of the API classes have a public method of that name; there must be one."
              .formatted(id, all.size()));
    }
    return all.get(0);
  }
}
