package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.caravan.access.Role;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.project.ProjectConfigReader;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Text from outside is data: every text of every schema and every call, filled with what means
 * something to somebody. It is refused with its place or kept as it is, nothing of it is evaluated,
 * and afterwards the node works and starts again. The fields come from the schemas, so that a new
 * one is in the table.
 */
class HostileTextTest {

  private static final String PROPERTY = "caravan.hostile";

  /** The last one is far longer than any text may be. */
  private static final List<String> HOSTILE =
      List.of(
          "{{caravan.secrets.key}}",
          "{{env:HOME}}",
          "/{{env:HOME}}/x",
          "/x{{y}}",
          "${env:HOME}",
          "${body}",
          "/x?preMove=${bean:type:java.lang.System?method=setProperty('" + PROPERTY + "','b')}",
          "${bean:type:java.lang.System?method=setProperty('" + PROPERTY + "','b')}",
          "#{systemProperties}",
          "/x?processStrategy=#class:java.lang.Object&antInclude=",
          "a&b=c",
          "#bean:warehouse",
          "u@127.0.0.1:22/",
          "a:b/c",
          "/x%41%2e%2e",
          "'\"`",
          "a\u0000b",
          "a\nb\r\nc",
          "\u001b[31mx",
          "a".repeat(500_000));

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final Sql SQL = new Sql(DATABASE.url(), null, null);

  @TempDir static Path folder;
  private static EmbeddedSftpServer server;
  private static Map<String, String> settings;
  private static String secretsKey;
  private static TestCaravan caravan;
  private static Api admin;

  @BeforeAll
  static void start() throws Exception {
    Path remote = Files.createDirectories(folder.resolve("remote"));
    server = EmbeddedSftpServer.start(remote, folder.resolve("hostkey"), 0, "u", "pw");
    secretsKey = Secrets.newKey();
    settings =
        Map.of("caravan.secrets.key", secretsKey, "caravan.connections.allow", "127.0.0.0/8");
    caravan = TestCaravan.start(DATABASE, folder, settings);
    admin = caravan.as("default", Role.ADMIN);
    HttpResponse<String> made = admin.post("/api/v1/projects", project().toString());
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
  }

  /** Nothing was evaluated, and the node starts again. */
  @AfterAll
  static void nothingWasEvaluatedAndTheNodeStartsAgain() throws Exception {
    try {
      assertThat(System.getProperty(PROPERTY)).isNull();
      caravan.close();
      try (TestCaravan again = TestCaravan.start(DATABASE, folder, settings)) {
        assertThat(again.as("default", Role.VIEWER).get("/api/v1/projects").statusCode())
            .isEqualTo(200);
      }
      assertThat(SQL.value("SELECT string_agg(j::text, ' ') FROM caravan.job j"))
          .doesNotContain(secretsKey, System.getenv("HOME") + "/x");
    } finally {
      server.close();
    }
  }

  private static ObjectNode project() throws IOException {
    ObjectNode project = JSON.createObjectNode().put("project", "p").put("connection", "warehouse");
    project
        .putObject("sftp")
        .put("host", "127.0.0.1")
        .put("port", server.port())
        .put("username", "u")
        .put("password", "pw")
        .put("host_key", server.knownHostsLine().replaceFirst("^\\S+ ", "").strip())
        .put("poll_seconds", 86400);
    project.putArray("tables").addObject().put("file_pattern", "*.csv").put("primary_key", "id");
    return project;
  }

  /** Every place of a text in a schema, as a JSON pointer; * stands for a key that is free. */
  private static void texts(JsonNode root, JsonNode schema, String at, Set<String> found) {
    if (schema.has("$ref")) {
      texts(root, root.at(schema.get("$ref").asText().substring(1)), at, found);
    }
    boolean text = schema.path("type").toString().contains("\"string\"");
    if (text && !schema.has("enum") && !schema.has("const")) {
      found.add(at);
    }
    schema
        .path("properties")
        .properties()
        .forEach(p -> texts(root, p.getValue(), at + "/" + p.getKey(), found));
    if (schema.has("items")) {
      texts(root, schema.get("items"), at + "/0", found);
    }
    if (schema.path("additionalProperties").isObject()) {
      texts(root, schema.get("additionalProperties"), at + "/*", found);
    }
    boolean free = schema.path("type").asText().equals("object") && !schema.has("properties");
    if (free && !schema.has("additionalProperties")) {
      found.add(at + "/*");
    }
  }

  /** The document with another value there; what is missing on the way is made. */
  private static JsonNode with(JsonNode document, String pointer, String value) {
    JsonNode changed = document.deepCopy();
    JsonNode node = changed;
    String[] keys = pointer.substring(1).split("/", -1);
    for (int i = 0; i < keys.length; i++) {
      String key = keys[i].equals("*") ? "free" : keys[i];
      boolean last = i == keys.length - 1;
      boolean nextIsItem = !last && keys[i + 1].equals("0");
      JsonNode child = node.isArray() ? node.get(0) : node.get(key);
      JsonNode next =
          last
              ? TextNode.valueOf(value)
              : child != null && child.isContainerNode() && child.isArray() == nextIsItem
                  ? child
                  : nextIsItem ? JSON.createArrayNode() : JSON.createObjectNode();
      if (node instanceof ArrayNode array) {
        array.removeAll().add(next);
      } else {
        ((ObjectNode) node).set(key, next);
      }
      node = next;
    }
    return changed;
  }

  private static String shown(String hostile) {
    return hostile.length() > 100
        ? hostile.length() + " characters"
        : JSON.valueToTree(hostile) + "";
  }

  private static void judge(String what, String place, HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as("%s: %s", what, answer.body()).isNotEqualTo(500);
    if (answer.statusCode() == 422) {
      // keys that need or exclude others are told with the table that they hold for
      String key = place.replaceFirst(".*/([a-z_]+)(/[0*])?$", "$1");
      assertThat(Api.json(answer).at("/errors"))
          .as("%s names its place: %s", what, answer.body())
          .anySatisfy(
              error ->
                  assertThat(
                          place.startsWith(error.at("/at").asText().replaceFirst("/free$", ""))
                              || error.at("/detail").asText().contains(key))
                      .isTrue());
    }
    assertThat(answer.body()).as(what).doesNotContain(secretsKey);
  }

  @Test
  void everyTextOfAProjectIsRefusedWithItsPlaceOrKeptAsItIs() throws Exception {
    JsonNode schema;
    try (InputStream in = ProjectConfigReader.class.getResourceAsStream("project.schema.json")) {
      schema = JSON.readTree(in);
    }
    Set<String> fields = new TreeSet<>();
    texts(schema, schema, "", fields);
    assertThat(fields)
        .hasSizeGreaterThan(40)
        .contains("/sftp/remote_path", "/sftp/done_marker", "/schedule/cron", "/tables/0/trailer");
    ObjectNode base = project();
    for (String field : fields) {
      for (String hostile : HOSTILE) {
        JsonNode wanted = with(base, field, hostile);
        String what = field + " = " + shown(hostile);
        HttpResponse<String> answer = admin.put("/api/v1/projects/p", wanted.toString());
        judge(what, field, answer);
        assertThat(answer.statusCode()).as(what + ": " + answer.body()).isIn(200, 422);
        if (answer.statusCode() == 200 && !field.matches("/sftp/(password|key_passphrase)")) {
          assertThat(Api.json(answer).at("/config" + field.replace("*", "free")).asText())
              .as(what)
              .isEqualTo(hostile);
        }
      }
    }
  }

  @Test
  void aFolderOfAnyNameIsThatFolder() throws Exception {
    for (String name :
        List.of("{{env:HOME}}", "x{{y}}", "%41", "a&b=c", "${body}", "#x", "u@h:1")) {
      Path remote = Files.createDirectories(folder.resolve("remote").resolve(name));
      Files.writeString(remote.resolve("t.csv"), "id,v\n" + name.length() + ",x\n");
      ObjectNode call = JSON.createObjectNode().put("project", "p").put("force", true);
      ObjectNode sftp = (ObjectNode) project().get("sftp");
      sftp.remove("poll_seconds");
      call.set("sftp", sftp.put("remote_path", "/" + name));
      admin.put("/api/v1/projects/p", project().toString());
      JsonNode job = ended(admin.post("/api/v1/import", call.toString()));
      assertThat(job.at("/status").asText()).as(name + job).isEqualTo("completed");
      assertThat(job.at("/result/files").asInt()).as(name).isEqualTo(1);
    }
    assertThat(caravan.ids("t")).hasSizeGreaterThan(3);
  }

  private static JsonNode ended(HttpResponse<String> started) {
    assertThat(started.statusCode()).as(started.body()).isEqualTo(202);
    String path = "/api/v1/jobs/" + Api.json(started).get("job_id").asText();
    return await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> Api.json(admin.get(path)), job -> !job.at("/completed_at").isNull());
  }

  /** What a valid call has in fields that must be there. */
  private static final Map<String, JsonNode> EXAMPLES =
      Map.of(
          "project", TextNode.valueOf("p"),
          "name", TextNode.valueOf("n"),
          "database_url", TextNode.valueOf("postgresql://u:p@127.0.0.1:1/d"),
          "role", TextNode.valueOf("viewer"),
          "provider_type", TextNode.valueOf("csv_upload"),
          "year", JSON.getNodeFactory().numberNode(2024),
          "raw", TextNode.valueOf("a,b"));

  @Test
  void everyTextOfEveryCallIsAnsweredAndEvaluatesNothing() throws Exception {
    JsonNode document;
    try (InputStream in = ApiDocument.class.getResourceAsStream("openapi.yaml")) {
      document = new YAMLMapper().readTree(in);
    }
    Map<String, Integer> calls = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
      for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
        if (!method.getValue().has("operationId")
            || method.getValue().has("x-coming")
            || method.getKey().equals("delete")
            || method.getValue().at("/responses").has("101")) {
          continue;
        }
        int count =
            call(document, path.getKey(), path.getValue(), method.getKey(), method.getValue());
        calls.put(method.getValue().get("operationId").asText(), count);
      }
    }
    assertThat(calls.get("startImport")).isGreaterThan(10 * HOSTILE.size());
    assertThat(calls.get("createConnection")).isGreaterThan(2 * HOSTILE.size());
    assertThat(calls.values().stream().mapToInt(Integer::intValue).sum()).isGreaterThan(500);
  }

  private static int call(
      JsonNode document, String path, JsonNode ofPath, String method, JsonNode operation) {
    int[] count = {0};
    String plain = path.replaceAll("\\{[^}]*}", "00000000-0000-0000-0000-000000000000");
    JsonNode schema = resolved(document, operation.path("requestBody"));
    schema = resolved(document, schema.at("/content/application~1json/schema"));
    ObjectNode base = JSON.createObjectNode();
    for (JsonNode name : schema.path("required")) {
      assertThat(EXAMPLES).as("an example for a field of " + path).containsKey(name.asText());
      base.set(name.asText(), EXAMPLES.get(name.asText()));
    }
    Set<String> fields = new TreeSet<>();
    if (!schema.isMissingNode()) {
      texts(document, schema, "", fields);
    }
    BiConsumer<String, HttpResponse<String>> judged =
        (what, answer) -> {
          count[0]++;
          assertThat(answer.statusCode()).as("%s: %s", what, answer.body()).isNotIn(500, 502);
          assertThat(answer.body()).as(what).doesNotContain(secretsKey);
        };
    for (String field : fields) {
      for (String hostile : HOSTILE) {
        String what = method + " " + path + " " + field + " = " + shown(hostile);
        byte[] body = with(base, field, hostile).toString().getBytes(StandardCharsets.UTF_8);
        judged.accept(
            what, admin.with("Content-Type", "application/json").send(upper(method), plain, body));
      }
    }
    List<JsonNode> parameters = new ArrayList<>();
    Stream.of(ofPath, operation)
        .flatMap(of -> Stream.of(of.path("parameters")))
        .forEach(all -> all.forEach(p -> parameters.add(resolved(document, p))));
    for (JsonNode parameter : parameters) {
      for (String hostile : HOSTILE) {
        if (hostile.length() < 1_000) {
          String what = method + " " + path + " " + parameter + " = " + shown(hostile);
          parameter(plain, path, method, parameter, hostile)
              .ifPresent(answer -> judged.accept(what, answer));
        }
      }
    }
    return count[0];
  }

  private static Optional<HttpResponse<String>> parameter(
      String plain, String path, String method, JsonNode parameter, String hostile) {
    String name = parameter.get("name").asText();
    String encoded = URLEncoder.encode(hostile, StandardCharsets.UTF_8).replace("+", "%20");
    byte[] body = "{}".getBytes(StandardCharsets.UTF_8);
    Api json = admin.with("Content-Type", "application/json");
    String to =
        switch (parameter.get("in").asText()) {
          case "query" -> plain + "?" + name + "=" + encoded;
          case "path" -> path.replace("{" + name + "}", encoded).replaceAll("\\{[^}]*}", "1");
          default -> null;
        };
    if (to != null) {
      return Optional.of(method.equals("get") ? admin.get(to) : json.send(upper(method), to, body));
    }
    boolean clientRefuses = hostile.chars().anyMatch(c -> c < ' ' || c > '~');
    if (clientRefuses || Set.of("Connection", "Upgrade").contains(name)) {
      return Optional.empty();
    }
    Api with = json.with(name, hostile);
    return Optional.of(
        method.equals("get") ? with.get(plain) : with.send(upper(method), plain, body));
  }

  private static String upper(String method) {
    return method.toUpperCase(Locale.ROOT);
  }

  private static JsonNode resolved(JsonNode document, JsonNode node) {
    return node.has("$ref") ? document.at(node.get("$ref").asText().substring(1)) : node;
  }
}
