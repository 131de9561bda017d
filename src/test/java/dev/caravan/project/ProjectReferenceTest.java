package dev.caravan.project;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Holds docs/projects.md to the schema and to what the reader does. */
class ProjectReferenceTest {

  private static final Path REFERENCE = Path.of("docs/projects.md");
  private static final Path GENERATED = Path.of("target/projects.md");
  private static final Pattern KEYS =
      Pattern.compile("<!-- keys of /(\\S*) -->\n(.*?)<!-- end -->", Pattern.DOTALL);
  private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);
  private static final Pattern MISTAKE = Pattern.compile("(?m)^projects/abc.yaml: (.*?),? …$");

  private final ProjectSchema schema = new ProjectSchema();

  @Test
  void listsTheKeysOfTheSchema() throws IOException {
    String written = Files.readString(REFERENCE);
    String generated =
        KEYS.matcher(written).replaceAll(section -> Matcher.quoteReplacement(keysOf(section)));
    Files.writeString(GENERATED, generated);

    assertThat(written)
        .as("if the schema changed on purpose: cp %s %s", GENERATED, REFERENCE)
        .isEqualTo(generated);
  }

  private String keysOf(MatchResult section) {
    String pointer = section.group(1).isEmpty() ? "" : "/" + section.group(1);
    JsonNode schemaOfSection = schema.root().at(pointer);
    return schemaOfSection.get("properties").properties().stream()
        .filter(key -> isOwn(schemaOfSection, key))
        .map(key -> row(schemaOfSection, key))
        .collect(
            Collectors.joining(
                "\n",
                "<!-- keys of /%s -->\n| key | allowed | default | meaning | example |\n| --- | --- | --- | --- | --- |\n"
                    .formatted(section.group(1)),
                "\n<!-- end -->"));
  }

  private String row(JsonNode section, Map.Entry<String, JsonNode> key) {
    JsonNode rule = schema.resolve(key.getValue());
    boolean isSection = rule.has("properties") || rule.path("items").has("properties");
    return List.of(
            code(key.getKey()),
            text(Allowed.by(rule)),
            whenAbsent(section, key.getKey(), rule),
            text(rule.get("description").textValue()),
            isSection ? "see below" : code(key.getKey() + ": " + rule.get("examples").get(0)))
        .stream()
        .map(cell -> cell.replace("|", "\\|"))
        .collect(Collectors.joining(" | ", "| ", " |"));
  }

  private static String whenAbsent(JsonNode section, String key, JsonNode rule) {
    if (isRequired(section, key)) {
      return "required";
    }
    return rule.get("default").isNull() ? "none" : code(rule.get("default").toString());
  }

  /** Not one of the keys of an entry that are listed under defaults, where their default is. */
  private static boolean isOwn(JsonNode section, Map.Entry<String, JsonNode> key) {
    return key.getValue().has("default") || isRequired(section, key.getKey());
  }

  private static boolean isRequired(JsonNode section, String key) {
    return section.path("required").toString().contains("\"" + key + "\"");
  }

  private static String text(String words) {
    return words.replace("*", "\\*");
  }

  private static String code(String text) {
    return "`" + text + "`";
  }

  @Test
  void showsExamplesThatAreValid(@TempDir Path folder) throws IOException {
    ProjectConfigReader reader = new ProjectConfigReader(Map.of("ABC_SFTP_PASSWORD", "x"));
    List<String> examples =
        EXAMPLE.matcher(Files.readString(REFERENCE)).results().map(e -> e.group(1)).toList();

    assertThat(examples).hasSize(2);
    for (String example : examples) {
      Path file = Files.writeString(folder.resolve("example.yaml"), example);
      assertThat(reader.read(file).project()).isEqualTo("customer_abc");
    }
  }

  @Test
  void quotesTheMistakesAsTheReaderSaysThem() throws IOException {
    String text =
        """
        project: abc
        connection: warehouse
        defaults: {primary_key: id, encoding: latin-99}
        tables: [{file_pattern: a.csv, delimeter: ";"}]
        """;
    List<String> mistakes =
        MISTAKE.matcher(Files.readString(REFERENCE)).results().map(m -> m.group(1)).toList();

    assertThat(mistakes).hasSize(2);
    assertThat(catchThrowable(() -> ProjectTexts.read(text)))
        .hasMessageContainingAll(mistakes.toArray(String[]::new));
  }
}
