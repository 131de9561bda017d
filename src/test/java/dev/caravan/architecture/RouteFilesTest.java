package dev.caravan.architecture;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Text from outside is never part of a route. What stands in the route files is the operator's:
 * their placeholders are settings, or parameters that another of these files fills in.
 */
class RouteFilesTest {

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{[?!]?([^}]*)}}");

  /** Options of file components that are read as an expression or a pattern. */
  private static final Set<String> EXPRESSIONS =
      Set.of(
          "fileName",
          "tempFileName",
          "move",
          "preMove",
          "moveFailed",
          "moveExisting",
          "doneFileName",
          "include",
          "exclude",
          "antInclude",
          "antExclude",
          "sortBy",
          "idempotentKey");

  @Test
  void placeholdersAreSettingsOrParametersThatRouteFilesFillIn() throws IOException {
    List<String> strange = new ArrayList<>();
    Set<String> looked = new HashSet<>();
    try (Stream<Path> files = Files.walk(Path.of("routes"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        for (JsonNode part : new YAMLMapper().readTree(file.toFile())) {
          Set<String> own = new HashSet<>();
          part.at("/routeTemplate/parameters").forEach(p -> own.add(p.get("name").asText()));
          part.at("/routeTemplate/beans").forEach(b -> own.add(b.get("name").asText()));
          look(file.toString(), part, own, strange, looked);
        }
      }
    }
    assertThat(looked).as("the walk sees uri: and parameters").contains("uri", "parameters");
    assertThat(strange).isEmpty();
  }

  private static void look(
      String at, JsonNode node, Set<String> own, List<String> strange, Set<String> looked) {
    if (node.isTextual()) {
      Matcher placeholders = PLACEHOLDER.matcher(node.textValue());
      while (placeholders.find()) {
        String name = placeholders.group(1).replaceFirst(":.*", "");
        if (!name.startsWith("caravan.") && !own.contains(name)) {
          strange.add(at + ": " + placeholders.group());
        }
      }
    }
    for (Map.Entry<String, JsonNode> child : node.properties()) {
      looked.add(child.getKey());
      if (at.endsWith("/parameters") && EXPRESSIONS.contains(child.getKey())) {
        strange.add(at + "/" + child.getKey() + " is an expression");
      }
      look(at + "/" + child.getKey(), child.getValue(), own, strange, looked);
    }
    if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        look(at + "/" + i, node.get(i), own, strange, looked);
      }
    }
  }

  /** Else a parameter of a template could hold what a tenant wrote. */
  @Test
  void noCodeMakesRoutesOrReadsTextAsAnExpression() {
    noClasses()
        .that() // the provider files are the operator's
        .resideOutsideOfPackage("dev.caravan.provider..")
        .should()
        .callMethodWhere(
            target(
                nameMatching(
                    "addRouteFromTemplate|addRouteFromKamelet|resolvePropertyPlaceholders"
                        + "|resolveLanguage|createExpression")))
        .because("what a tenant writes is data: give it to a shared route as an object")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("dev.caravan"));
  }
}
