package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.failure.CaravanException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads files of providers: YAML, or JSON, in UTF-8, by {@code provider.schema.json}. */
public final class ProviderReader {

  private static final List<String> OF_HTTP =
      List.of("parameters", "request", "auth", "pages", "answer", "rules", "limits", "per_minute");

  private ProviderReader() {}

  /**
   * The providers of one file.
   *
   * @throws CaravanException CONFIG_INVALID with all that is wrong, one line for each problem:
   *     {@code file: path: what was found; what is allowed}
   */
  public static List<ObjectNode> read(Path file) {
    Problems problems = new Problems(file.toString());
    String text = ProjectConfigReader.textOf(file, problems);
    JsonNode document = new ProjectText(text, problems, "providers").parse();
    new ProjectSchema("provider.schema.json").check(document, problems);
    problems.throwIfAny();
    List<ObjectNode> providers = new ArrayList<>();
    KeyPath list = KeyPath.ROOT.key("providers");
    for (JsonNode provider : document.get("providers")) {
      check(list.item(providers.size()), provider, problems);
      providers.add((ObjectNode) provider);
    }
    problems.throwIfAny();
    return providers;
  }

  private static void check(KeyPath path, JsonNode provider, Problems problems) {
    if (provider.has("url") == provider.has("bean")) {
      problems.add(
          path,
          "found %s; allowed: exactly one of url and bean"
              .formatted(provider.has("url") ? "both" : "neither"));
    }
    if (provider.has("bean")) {
      OF_HTTP.stream()
          .filter(provider::has)
          .forEach(key -> problems.add(path.key(key), "given with bean; allowed: with url only"));
    }
  }
}
