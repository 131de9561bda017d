package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class ApiRoutesTest {

  private static final ApiDocument DOCUMENT = ApiDocument.load();

  @Test
  void aCallOfTheDocumentThatNoMethodAnswersEndsTheStart() {
    assertThatThrownBy(() -> add(List.of()))
        .hasMessageContaining("operationId")
        .hasMessageContaining("0 of the API classes");
  }

  @Test
  void twoMethodsForOneCallEndTheStart() {
    assertThatThrownBy(() -> add(List.of(new HealthApi(null), new HealthApi(null))))
        .hasMessageContaining("operationId live")
        .hasMessageContaining("2 of the API classes");
  }

  private static void add(List<Object> apis) throws Exception {
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      context.addRoutes(new ApiRoutes(DOCUMENT, Set.of(), apis));
    }
  }
}
