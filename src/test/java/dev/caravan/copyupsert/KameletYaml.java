package dev.caravan.copyupsert;

import java.util.List;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import org.apache.camel.tooling.model.BaseOptionModel;
import org.apache.camel.tooling.model.ComponentModel;
import org.apache.camel.tooling.model.ComponentModel.EndpointOptionModel;

/** The endpoint as a kamelet, so that tools without Java know its options. */
final class KameletYaml {

  private KameletYaml() {}

  /** Its properties are the options of the endpoint. */
  static String of(ComponentModel model) {
    List<EndpointOptionModel> options = CatalogFiles.ownOptions(model);
    return """
        # Generated from the annotations: CONTRIBUTING.md
        apiVersion: camel.apache.org/v1
        kind: Kamelet
        metadata:
          name: %1$s-sink
          annotations:
            camel.apache.org/kamelet.support.level: "Preview"
            camel.apache.org/catalog.version: "%2$s"
            camel.apache.org/provider: "Caravan"
            camel.apache.org/kamelet.group: "SQL"
            camel.apache.org/kamelet.namespace: "Database"
          labels:
            camel.apache.org/kamelet.type: sink
        spec:
          definition:
            title: %3$s Sink
            description: %4$s
            type: object
            required:
              - table
            properties:
        %5$s
          types:
            in:
              mediaType: text/csv
          dependencies:
            - "camel:kamelet"
            - "mvn:%6$s:%7$s:%2$s"
          template:
            from:
              uri: kamelet:source
              steps:
                - to:
                    uri: "%1$s:{{table}}"
                    parameters:
        %8$s
        """
        .formatted(
            model.getScheme(),
            model.getVersion(),
            model.getTitle(),
            quoted(model.getDescription()),
            options.stream().map(KameletYaml::property).collect(indented(6)),
            model.getGroupId(),
            model.getArtifactId(),
            options.stream()
                .filter(option -> option.getKind().equals("parameter"))
                .map(KameletYaml::argument)
                .collect(indented(14)));
  }

  private static String property(BaseOptionModel option) {
    String type = option.getType().matches("enum|object") ? "string" : option.getType();
    String yaml =
        """
        %s:
          title: %s
          description: %s
          type: %s
        """
            .formatted(
                option.getName(),
                option.getDisplayName(),
                quoted(firstSentence(option.getDescription())),
                type);
    if (option.getEnums() != null) {
      yaml += "  enum: [%s]\n".formatted(String.join(", ", option.getEnums()));
    }
    if (CatalogFiles.hasDefault(option)) {
      String value = option.getDefaultValue().toString();
      yaml += "  default: %s\n".formatted(type.equals("string") ? quoted(value) : value);
    }
    return yaml;
  }

  private static String argument(BaseOptionModel option) {
    String optional = CatalogFiles.hasDefault(option) ? "" : "?";
    return "%1$s: \"{{%2$s%1$s}}\"\n".formatted(option.getName(), optional);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static Collector<CharSequence, ?, String> indented(int spaces) {
    return Collectors.collectingAndThen(
        Collectors.joining(), text -> text.indent(spaces).stripTrailing());
  }

  private static String firstSentence(String text) {
    return text.split("(?<=\\.) ", 2)[0];
  }
}
