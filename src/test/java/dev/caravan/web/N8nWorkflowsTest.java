package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the workflows of docs/n8n to the contract; that n8n runs them, docs/n8n.md records. */
class N8nWorkflowsTest {

  private static final Path FOLDER = Path.of("docs/n8n");
  private static final String ADDRESS = "={{ $('Settings').first().json.caravan_url }}";
  private static final Pattern EXPRESSION = Pattern.compile("\\{\\{.*?}}");
  private static final Pattern READ =
      Pattern.compile("\\$\\('([^']+)'\\)\\.first\\(\\)\\.json\\.([A-Za-z_.]+)");

  private final ApiDocument document = ApiDocument.load();

  static List<Path> workflows() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }

  @Test
  void areAllExplained() throws IOException {
    String page = Files.readString(Path.of("docs/n8n.md"));
    assertThat(workflows())
        .hasSize(3)
        .allSatisfy(file -> assertThat(page).contains("(n8n/" + file.getFileName() + ")"));
  }

  @ParameterizedTest
  @MethodSource("workflows")
  void callOnlyWhatTheContractHas(Path file) throws IOException {
    for (JsonNode node : calls(file)) {
      String pointer = pointer(node);
      assertThat(names(node, "queryParameters"))
          .as(node.get("name").asText())
          .isSubsetOf(parameters(pointer, "query"));
      assertThat(names(node, "headerParameters"))
          .as(node.get("name").asText())
          .isSubsetOf(parameters(pointer, "header"));
      Set<String> fields = names(node, "bodyParameters");
      if (!fields.isEmpty()) {
        JsonNode schema = body(node, pointer);
        assertThat(fields)
            .as(node.get("name").asText())
            .isSubsetOf(fieldNames(schema.get("properties")))
            .containsAll(texts(schema.path("required")));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("workflows")
  void readOnlyFieldsThatTheAnswersHave(Path file) throws IOException {
    JsonNode workflow = read(file);
    List<MatchResult> fields = READ.matcher(workflow.toString()).results().toList();
    assertThat(fields).isNotEmpty();
    for (MatchResult field : fields) {
      JsonNode node = node(workflow, field.group(1));
      switch (type(node)) {
        case "httpRequest" ->
            assertThat(answerHas(pointer(node), field.group(2))).as(field.group()).isTrue();
        case "set" ->
            assertThat(node.at("/parameters/assignments/assignments").findValuesAsText("name"))
                .contains(field.group(2));
        default -> assertThat(node.toString()).contains("\"fieldLabel\":\"" + field.group(2));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("workflows")
  void startAnImportOnceAndWaitForItsCallback(Path file) throws IOException {
    JsonNode workflow = read(file);
    JsonNode start = node(workflow, "Start the import");
    assertThat(pointer(start)).isEqualTo("/paths/~1api~1v1~1import/post");
    assertThat(start.toString()).contains("$execution.resumeUrl", "Idempotency-Key");
    String next = workflow.at("/connections/Start the import/main/0/0/node").asText();
    JsonNode parameters = node(workflow, next).get("parameters");
    assertThat(parameters.get("resume").asText()).isEqualTo("webhook");
    assertThat(parameters.get("httpMethod").asText()).isEqualTo("POST");
    assertThat(parameters.get("limitWaitTime").asBoolean()).isTrue();
  }

  @ParameterizedTest
  @MethodSource("workflows")
  void holdNoKeyAndNameNoMachine(Path file) throws IOException {
    JsonNode workflow = read(file);
    assertThat(Files.readString(file)).doesNotContain("cvn_", "whsec_", "\"pinData\": {\"");
    for (JsonNode node : calls(file)) {
      assertThat(node.at("/parameters/genericAuthType").asText()).isEqualTo("httpBearerAuth");
      assertThat(node.at("/credentials/httpBearerAuth/name").asText()).isEqualTo("Caravan API key");
      assertThat(names(node, "headerParameters"))
          .doesNotContainAnyElementsOf(Set.of("Authorization", "X-API-Key"));
    }
    workflow
        .findValues("credentials")
        .forEach(
            credentials ->
                credentials.forEach(
                    one -> assertThat(fieldNames(one)).containsExactlyInAnyOrder("id", "name")));
    assertThat(workflow.findValuesAsText("value"))
        .filteredOn(value -> value.startsWith("http"))
        .allSatisfy(value -> assertThat(URI.create(value).getHost()).isEqualTo("127.0.0.1"));
  }

  private static JsonNode read(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  private static List<JsonNode> calls(Path file) throws IOException {
    List<JsonNode> calls =
        elements(read(file).get("nodes")).filter(node -> type(node).equals("httpRequest")).toList();
    assertThat(calls).hasSizeGreaterThanOrEqualTo(2);
    return calls;
  }

  private static String type(JsonNode node) {
    return node.get("type").asText().replace("n8n-nodes-base.", "");
  }

  private static JsonNode node(JsonNode workflow, String name) {
    return elements(workflow.get("nodes"))
        .filter(node -> node.get("name").asText().equals(name))
        .findAny()
        .orElseThrow(() -> new AssertionError("No node '" + name + "'"));
  }

  /** The operation that a node calls, in the document. */
  private String pointer(JsonNode node) {
    String url = node.at("/parameters/url").asText();
    assertThat(url).startsWith(ADDRESS);
    String path = EXPRESSION.matcher(url.substring(ADDRESS.length())).replaceAll("x");
    String method = node.at("/parameters/method").asText();
    Operation operation =
        document.at(path).stream()
            .filter(candidate -> candidate.method().equals(method))
            .findAny()
            .orElseThrow(() -> new AssertionError("Not in the contract: " + method + " " + path));
    return "/paths/%s/%s"
        .formatted(operation.template().replace("/", "~1"), method.toLowerCase(Locale.ROOT));
  }

  private Set<String> parameters(String pointer, String in) {
    return elements(document.node(pointer + "/parameters"))
        .filter(parameter -> parameter.path("in").asText().equals(in))
        .map(parameter -> parameter.get("name").asText())
        .collect(Collectors.toSet());
  }

  private JsonNode body(JsonNode node, String pointer) {
    String type =
        node.at("/parameters/contentType").asText("json").equals("multipart-form-data")
            ? "multipart~1form-data"
            : "application~1json";
    return document.node(pointer + "/requestBody/content/" + type + "/schema");
  }

  private boolean answerHas(String pointer, String field) {
    String success =
        fieldNames(document.node(pointer + "/responses")).stream()
            .filter(status -> status.startsWith("2"))
            .findAny()
            .orElseThrow();
    String at = document.resolve(pointer + "/responses/" + success);
    at = document.resolve(at + "/content/application~1json/schema");
    for (String name : List.of(field.split("\\.", -1))) {
      at = document.resolve(at + "/properties/" + name);
    }
    return !document.node(at).isMissingNode();
  }

  private static Set<String> names(JsonNode node, String kind) {
    return elements(node.at("/parameters/" + kind + "/parameters"))
        .map(parameter -> parameter.get("name").asText())
        .collect(Collectors.toSet());
  }

  private static Set<String> texts(JsonNode array) {
    return elements(array).map(JsonNode::asText).collect(Collectors.toSet());
  }

  private static Set<String> fieldNames(JsonNode object) {
    return object.properties().stream().map(Map.Entry::getKey).collect(Collectors.toSet());
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }
}
