package dev.caravan.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.project.MappingReader;
import dev.caravan.project.ProviderReader;
import dev.caravan.source.http.HttpSource;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.TemplatedRouteDefinition;
import org.apache.camel.support.service.ServiceSupport;

/** The routes of all providers of some files. */
public final class ProviderFiles extends RouteBuilder {

  /** The setting that names the files. */
  private static final String FILES = "{{caravan.providers.files:}}";

  @Override
  public void configure() throws Exception {
    String pattern = getContext().resolvePropertyPlaceholders(FILES).strip();
    for (Path file : files(pattern)) {
      for (ObjectNode provider : ProviderReader.read(file)) {
        add((ObjectNode) resolved(provider));
      }
    }
  }

  /** In the order of their names. */
  private static List<Path> files(String pattern) {
    List<Path> files = new ArrayList<>();
    if (pattern.isEmpty()) {
      return files;
    }
    Path path = Path.of(pattern).toAbsolutePath();
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(path.getParent(), path.getFileName().toString())) {
      found.forEach(files::add);
    } catch (IOException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "caravan.providers.files: '%s' cannot be read: %s".formatted(pattern, e),
          e);
    }
    files.sort(null);
    return files;
  }

  /** With the settings that its texts name; what comes out of a setting is not looked at again. */
  private JsonNode resolved(JsonNode value) {
    if (value.isTextual()) {
      return value.textValue().contains("{{")
          ? TextNode.valueOf(getContext().resolvePropertyPlaceholders(value.textValue()))
          : value;
    }
    if (value instanceof ObjectNode object) {
      object.properties().forEach(member -> member.setValue(resolved(member.getValue())));
    } else if (value instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        array.set(i, resolved(array.get(i)));
      }
    }
    return value;
  }

  private void add(ObjectNode provider) throws Exception {
    String name = provider.get("provider").textValue();
    String source = provider.path("bean").asText();
    if (provider.has("url")) {
      if (provider.get("url").textValue().isBlank()) {
        return; // its setting is empty
      }
      source = "source-" + name;
      HttpSource http = new HttpSource(name, provider);
      getContext().getRegistry().bind(source, http);
      closeAtTheEnd(http);
    }
    TemplatedRouteDefinition load =
        template("load-records", "sync-" + name, name, source, provider)
            .parameter("table", provider.get("table").textValue())
            .parameter("keys", keys(provider))
            .parameter("mode", provider.path("mode").asText("upsert").toUpperCase(Locale.ROOT))
            .parameter("inferTypes", provider.path("infer_types").asText("false"));
    if (provider.has("range_column")) {
      load.parameter("rangeColumn", provider.get("range_column").textValue());
    }
    template("check-records", "check-" + name, name, source, provider);
  }

  private TemplatedRouteDefinition template(
      String template, String routeId, String name, String source, ObjectNode provider) {
    return templatedRoute(template)
        .routeId(routeId)
        .parameter("provider", name)
        .parameter("source", source)
        .parameter("mapping", mapping(provider.get("mapping").textValue()));
  }

  /** Each file is read once; what is wrong in it ends the start. */
  private String mapping(String file) {
    String bean = "mapping-" + file;
    if (getContext().getRegistry().lookupByName(bean) == null) {
      getContext().getRegistry().bind(bean, MappingReader.read(file));
    }
    return bean;
  }

  private static String keys(ObjectNode provider) {
    List<String> keys = new ArrayList<>();
    provider.path("keys").forEach(key -> keys.add(key.textValue()));
    return String.join(",", keys);
  }

  private void closeAtTheEnd(Closeable source) throws Exception {
    getContext()
        .addService(
            new ServiceSupport() {
              @Override
              protected void doStop() throws IOException {
                source.close();
              }
            });
  }
}
