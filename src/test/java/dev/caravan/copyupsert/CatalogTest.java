package dev.caravan.copyupsert;

import static org.assertj.core.api.Assertions.assertThat;

import java.beans.Introspector;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.apache.camel.catalog.EndpointValidationResult;
import org.apache.camel.catalog.RuntimeCamelCatalog;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.tooling.model.BaseOptionModel;
import org.apache.camel.tooling.model.ComponentModel;
import org.junit.jupiter.api.Test;

/** What tools read about the component is what its annotations say, and what it does. */
class CatalogTest {

  @Test
  void theFilesSayWhatTheAnnotationsSay() throws Exception {
    for (Map.Entry<Path, String> file : CatalogFiles.generate().entrySet()) {
      if (System.getProperty("regenerate") != null) {
        Files.createDirectories(file.getKey().getParent());
        Files.writeString(file.getKey(), file.getValue());
      }
      assertThat(file.getKey())
          .as("if the component changed on purpose: mvn -q test -Dtest=CatalogTest -Dregenerate")
          .content()
          .isEqualTo(file.getValue());
    }
  }

  @Test
  void theDefaultsAreThoseOfTheEndpoint() throws Exception {
    CopyUpsertEndpoint endpoint =
        new CopyUpsertEndpoint("copy-upsert:t", new CopyUpsertComponent());
    for (BaseOptionModel option : CatalogModel.read().getEndpointOptions()) {
      Object value = getter(option.getName()).invoke(endpoint);
      assertThat(value == null ? "" : value.toString())
          .as(option.getName())
          .isEqualTo(option.getDefaultValue().toString());
    }
  }

  private static Method getter(String option) throws Exception {
    return Arrays.stream(
            Introspector.getBeanInfo(CopyUpsertEndpoint.class).getPropertyDescriptors())
        .filter(property -> property.getName().equals(option))
        .findFirst()
        .orElseThrow()
        .getReadMethod();
  }

  @Test
  void everyOptionAndHeaderIsExplained() throws Exception {
    ComponentModel model = CatalogModel.read();
    assertThat(model.getEndpointOptions())
        .extracting(BaseOptionModel::getName)
        .contains("table", "keyColumns", "mode", "lazyStartProducer")
        .doesNotContain("bridgeErrorHandler");
    assertThat(model.getEndpointOptions()).noneMatch(o -> o.getDescription().isBlank());
    assertThat(model.getEndpointHeaders()).hasSizeGreaterThan(8);
    assertThat(model.getEndpointHeaders()).noneMatch(o -> o.getDescription().isBlank());
  }

  @Test
  void camelFindsTheDescriptionAndChecksUrisByIt() throws Exception {
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      RuntimeCamelCatalog catalog = PluginHelper.getRuntimeCamelCatalog(context);
      assertThat(catalog.endpointProperties("copy-upsert:s.t?keyColumns=id&mode=REPLACE"))
          .containsEntry("table", "s.t")
          .containsEntry("mode", "REPLACE");
      EndpointValidationResult wrong =
          catalog.validateProperties(
              "copy-upsert", Map.of("table", "t", "keyColums", "id", "mode", "X", "skipRows", "x"));
      assertThat(wrong.getUnknown()).containsExactly("keyColums");
      assertThat(wrong.getInvalidEnum()).containsKey("mode");
      assertThat(wrong.getInvalidInteger()).containsKey("skipRows");
      assertThat(
              catalog
                  .validateProperties("copy-upsert", Map.of("table", "t", "keyColumns", "id"))
                  .isSuccess())
          .isTrue();
    }
  }
}
