package dev.caravan.copyupsert;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.tooling.model.BaseOptionModel;
import org.apache.camel.tooling.model.ComponentModel;
import org.apache.camel.tooling.model.ComponentModel.EndpointOptionModel;
import org.apache.camel.tooling.model.JsonMapper;

/** The files that repeat what the annotations of the component say. */
final class CatalogFiles {

  static final Path JSON =
      Path.of("src/main/resources/META-INF/dev/caravan/copyupsert/copy-upsert.json");
  static final Path PROPERTIES =
      Path.of("src/main/resources/META-INF/services/org/apache/camel/component.properties");
  static final Path KAMELET = Path.of("src/main/resources/kamelets/copy-upsert-sink.kamelet.yaml");
  static final Path PAGE = Path.of("docs/copy-upsert.md");

  private final ComponentModel model;

  private CatalogFiles(ComponentModel model) {
    this.model = model;
  }

  /** Each file with the content that it should have. */
  static Map<Path, String> generate() throws Exception {
    CatalogFiles files = new CatalogFiles(CatalogModel.read());
    Map<Path, String> contents = new LinkedHashMap<>();
    contents.put(JSON, JsonMapper.createParameterJsonSchema(files.model));
    contents.put(PROPERTIES, files.properties());
    contents.put(KAMELET, KameletYaml.of(files.model));
    contents.put(PAGE, files.page(Files.readString(PAGE)));
    return contents;
  }

  private String properties() throws Exception {
    Pom pom = Pom.read();
    return """
        # Generated from the annotations: CONTRIBUTING.md
        components=%s
        groupId=%s
        artifactId=%s
        version=%s
        projectName=%s
        projectDescription=%s
        """
        .formatted(
            model.getScheme(),
            pom.groupId(),
            pom.artifactId(),
            pom.version(),
            pom.name(),
            pom.description());
  }

  static boolean hasDefault(BaseOptionModel option) {
    return !option.getDefaultValue().toString().isEmpty();
  }

  private String page(String written) {
    String options =
        "| option | type | default | meaning |\n| --- | --- | --- | --- |\n"
            + rows(
                ownOptions(model).stream()
                    .map(
                        o -> List.of(code(o.getName()), type(o), standard(o), o.getDescription())));
    String headers =
        "| header | type | meaning |\n| --- | --- | --- |\n"
            + rows(
                model.getEndpointHeaders().stream()
                    .map(h -> List.of(code(h.getName()), type(h), h.getDescription())));
    return section(section(written, "options", options), "headers", headers);
  }

  /** The options of the endpoint, except those that every endpoint has. */
  static List<EndpointOptionModel> ownOptions(ComponentModel model) {
    return model.getEndpointOptions().stream()
        .filter(option -> !option.getLabel().contains("advanced"))
        .toList();
  }

  private static String section(String page, String name, String table) {
    String begin = "<!-- %s -->\n".formatted(name);
    int start = page.indexOf(begin) + begin.length();
    return page.substring(0, start) + table + page.substring(page.indexOf("<!-- end -->", start));
  }

  private static String rows(Stream<List<String>> rows) {
    return rows.map(cells -> "| " + String.join(" | ", cells) + " |\n")
        .collect(Collectors.joining());
  }

  private static String code(String text) {
    return "`" + text + "`";
  }

  private static String type(BaseOptionModel option) {
    return option.getEnums() == null
        ? code(option.getJavaType().replaceAll("([a-z]+\\.)+", ""))
        : option.getEnums().stream().map(CatalogFiles::code).collect(Collectors.joining(", "));
  }

  private static String standard(BaseOptionModel option) {
    return hasDefault(option) ? code(option.getDefaultValue().toString()) : "none";
  }
}
