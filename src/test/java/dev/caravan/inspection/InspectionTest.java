package dev.caravan.inspection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Browser;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.WebDriverException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The management port of a Caravan that has loaded a file, and whose secrets are known. */
class InspectionTest {

  private static final String CANARY = "canary-5f1e";
  private static final Pattern SAMPLE =
      Pattern.compile("^([a-zA-Z0-9_]+)(\\{.*})? (\\S+)$", Pattern.MULTILINE);
  private static final Pattern TYPE =
      Pattern.compile("^# TYPE ([a-zA-Z0-9_]+) (\\w+)$", Pattern.MULTILINE);
  private static final Pattern DOCUMENTED =
      Pattern.compile("^\\| `([a-z0-9_]+)` \\|", Pattern.MULTILINE);

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static UnrulySftpServer server;
  private static TestCaravan caravan;
  private static Api port;

  @BeforeAll
  static void start() throws Exception {
    server = UnrulySftpServer.start(folder.resolve("sftp"));
    int number = FreePort.find();
    Map<String, String> settings = new HashMap<>();
    settings.put("caravan.management.port", String.valueOf(number));
    settings.put("caravan.database.password", CANARY + "-database");
    for (String key : List.of("client-id", "secret-id", "username", "travel-datasource")) {
      settings.put("caravan.providers.tableau." + key, "x");
    }
    settings.put("caravan.providers.tableau.secret-value", CANARY + "-provider-".repeat(4));
    settings.put("caravan.providers.tableau.server-url", "https://tableau.example");
    caravan =
        TestCaravan.start(
            DATABASE, folder, settings, TestCaravan.project("p", "t", server.login()));
    port = new Api(URI.create("http://127.0.0.1:" + number), Map.of());
    server.put("a.csv", "id,name\n1,one\n2,two\n");
    caravan.awaitMoved("a.csv");
  }

  @AfterAll
  static void stop() throws Exception {
    if (caravan != null) {
      caravan.close();
    }
    server.close();
  }

  private static Api as(Role role) {
    return port.with("Authorization", "Bearer " + caravan.key("default", role));
  }

  private static String scrape(Api caller) {
    HttpResponse<String> answer = caller.get("/metrics");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain");
    return answer.body();
  }

  /** The value of a sample; 0 when there is none. */
  private static double value(String scrape, String sample) {
    return scrape
        .lines()
        .filter(line -> line.startsWith(sample + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(sample.length() + 1)))
        .findFirst()
        .orElse(0);
  }

  @Test
  void aJobIsCountedWithItsRowsItsBytesAndItsRoute() throws Exception {
    Api viewer = as(Role.VIEWER);
    Map<String, Double> growth = new LinkedHashMap<>();
    growth.put("caravan_jobs_total{code=\"\",kind=\"import-sftp\",state=\"completed\"}", 1.0);
    growth.put("caravan_loads_total{kind=\"import-sftp\",status=\"loaded\"}", 1.0);
    growth.put("caravan_rows_total{kind=\"import-sftp\",result=\"read\"}", 3.0);
    growth.put("caravan_rows_total{kind=\"import-sftp\",result=\"inserted\"}", 1.0);
    growth.put("caravan_rows_total{kind=\"import-sftp\",result=\"unchanged\"}", 1.0);
    growth.put("caravan_rows_total{kind=\"import-sftp\",result=\"updated\"}", 0.0);
    growth.put("caravan_rows_total{kind=\"import-sftp\",result=\"rejected\"}", 1.0);
    growth.put("caravan_loaded_bytes_total{kind=\"import-sftp\"}", 28.0);
    String before = scrape(viewer);
    server.put("b.csv", "id,name\n2,two\n3,three\n4,x,y\n");
    caravan.awaitMoved("b.csv");
    String after = scrape(viewer);
    growth.forEach(
        (sample, grown) ->
            assertThat(value(after, sample) - value(before, sample)).as(sample).isEqualTo(grown));
    assertThat(after)
        .containsPattern("camel_exchanges_total\\{[^}]*routeId=\"import-sftp\"[^}]*} [1-9]")
        .containsPattern("resilience4j_circuitbreaker_state\\{[^}]*state=\"closed\"} 1.0")
        .contains("caravan_queue_waiting{queue=\"default\"} 0.0", "caravan_database_up 1.0");
  }

  @Test
  void whatWaitsIsReadFromTheDatabase() throws Exception {
    Sql sql = new Sql(DATABASE.url(), null, null);
    sql.execute(
        """
        INSERT INTO caravan.job (id, kind, project, state, created_at, run_after)
        VALUES (gen_random_uuid(), 'k', 'p', 'queued', now() - interval '1 h', now() + interval '1 h')""");
    sql.execute(
        """
        INSERT INTO caravan.outbox (id, job_id, kind, payload, created_at)
        SELECT gen_random_uuid(), id, 'webhook', '{}', now() - interval '1 h' FROM caravan.job LIMIT 1""");
    Api viewer = as(Role.VIEWER);
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              String scrape = scrape(viewer);
              assertThat(value(scrape, "caravan_queue_waiting{queue=\"default\"}")).isEqualTo(1);
              assertThat(value(scrape, "caravan_queue_oldest_seconds{queue=\"default\"}")).isZero();
              assertThat(value(scrape, "caravan_outbox_pending{kind=\"webhook\"}")).isEqualTo(1);
              assertThat(value(scrape, "caravan_outbox_oldest_seconds{kind=\"webhook\"}"))
                  .isGreaterThan(3_500);
            });
    sql.execute("DELETE FROM caravan.job WHERE kind = 'k'");
  }

  @Test
  void theTableOfMetricsIsWhatIsThere() throws Exception {
    Set<String> there = new TreeSet<>();
    TYPE.matcher(scrape(as(Role.VIEWER))).results().forEach(m -> there.add(m.group(1)));
    there.removeIf(name -> name.matches("(jvm|process|system)_.*"));
    Set<String> documented = new TreeSet<>();
    DOCUMENTED
        .matcher(Files.readString(Path.of("docs/inspection.md")))
        .results()
        .forEach(m -> documented.add(m.group(1)));
    assertThat(documented).isEqualTo(there);
  }

  @Test
  void noLabelHasValuesThatCallersMakeUp() {
    Set<String> names = new TreeSet<>();
    Matcher samples = SAMPLE.matcher(scrape(as(Role.VIEWER)));
    while (samples.find()) {
      Matcher labels = Pattern.compile("(\\w+)=\"([^\"]*)\"").matcher(samples.group());
      while (labels.find()) {
        names.add(labels.group(1));
        assertThat(labels.group(2)).doesNotContain("a.csv", "public.t", "default.");
        assertThat(labels.group(2)).doesNotContainPattern("[0-9a-f]{8}-[0-9a-f]{4}");
      }
    }
    assertThat(names)
        .isSubsetOf(
            "kind",
            "state",
            "code",
            "status",
            "result",
            "queue", // Caravan's
            "routeId",
            "camelContext",
            "eventType",
            "failed",
            "name",
            "group", // Camel's
            "area",
            "id",
            "gc",
            "action",
            "cause"); // the JVM's
  }

  @Test
  void aScrapeSurvivesAnOutageOfTheDatabase() throws Exception {
    Api viewer = as(Role.VIEWER);
    assertThat(value(scrape(viewer), "caravan_database_up")).isEqualTo(1);
    Sql other = new Sql(TestDatabase.create().url(), null, null);
    String name = URI.create(DATABASE.url().substring(5)).getPath().substring(1);
    other.execute("ALTER DATABASE " + name + " ALLOW_CONNECTIONS false");
    try {
      other.value(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '%s'"
              .formatted(name));
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () ->
                  assertThat(scrape(viewer))
                      .contains(
                          "caravan_database_up 0.0",
                          "caravan_queue_waiting{queue=\"default\"} NaN",
                          "caravan_jobs_total"));
    } finally {
      other.execute("ALTER DATABASE " + name + " ALLOW_CONNECTIONS true");
    }
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(value(scrape(viewer), "caravan_database_up")).isEqualTo(1));
  }

  @Test
  void withoutACredentialNoPathTellsWhetherItExists() {
    String list = "{\"type\":\"list\"}";
    for (String path :
        List.of(
            "/",
            "/metrics",
            "/metrics/",
            "/METRICS",
            "/%6detrics",
            "/metrics;x",
            "//metrics",
            "/jolokia",
            "/jolokia/",
            "/JOLOKIA",
            "/%6a%6f%6c%6f%6b%69%61",
            "/jolokia;x",
            "/./jolokia",
            "/x/../jolokia",
            "/jolokia/read/java.lang:type=Memory",
            "/hawtio",
            "/hawtio/",
            "/hawtio/user",
            "/hawtio/index.html",
            "/hawtio/%2e%2e/metrics",
            "/health")) {
      for (Api caller :
          List.of(port, port.with("Authorization", ""), port.with("X-API-Key", " "))) {
        assertThat(caller.get(path).statusCode()).as(path).isEqualTo(401);
        assertThat(caller.post(path, list).statusCode()).as(path).isEqualTo(401);
      }
    }
    assertThat(port.with("Authorization", "Bearer cvn_x").get("/metrics").statusCode())
        .isEqualTo(401);
  }

  @Test
  void anExactPathTheRightRoleAndTheOperatorsTenantAreNeeded() {
    Api admin = as(Role.ADMIN);
    String list = "{\"type\":\"list\"}";
    for (String path :
        List.of(
            "/",
            "/metrics/",
            "/METRICS",
            "/%6detrics",
            "/metrics;x",
            "//metrics",
            "/jolokia//",
            "/JOLOKIA",
            "/%6aolokia",
            "/jolokia;x",
            "/./jolokia",
            "/x/../jolokia",
            "/jolokia/read/java.lang:type=Memory",
            "/hawtio/%2e%2e/metrics",
            "/hawtio/../metrics",
            "/hawtio/static/js/../../../application.properties",
            "/hawtio/main.js.map")) {
      assertThat(admin.get(path).statusCode()).as(path).isEqualTo(404);
      assertThat(admin.post(path, list).statusCode()).as(path).isIn(404, 405);
    }
    for (Role role : List.of(Role.VIEWER, Role.OPERATOR)) {
      assertThat(as(role).get("/metrics").statusCode()).isEqualTo(200);
      assertThat(as(role).post("/jolokia", list).statusCode()).isEqualTo(403);
      assertThat(as(role).get("/hawtio/").statusCode()).isEqualTo(403);
    }
    Api other = port.with("Authorization", "Bearer " + caravan.key("acme", Role.ADMIN));
    for (String path : List.of("/metrics", "/jolokia", "/hawtio/")) {
      assertThat(other.get(path).statusCode()).as(path).isEqualTo(403);
    }
    HttpResponse<String> page = admin.with("Origin", "https://evil.example").get("/jolokia");
    assertThat(page.statusCode()).isEqualTo(403);
    assertThat(page.headers().map()).doesNotContainKey("access-control-allow-origin");
    assertThat(admin.send("PUT", "/jolokia").statusCode()).isEqualTo(405);
  }

  private static JsonNode jolokia(String request) {
    HttpResponse<String> answer = as(Role.ADMIN).post("/jolokia", request);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return Api.json(answer);
  }

  @Test
  void jolokiaReadsAndDrawsRoutesAndDoesNothingElse() throws Exception {
    String context = "org.apache.camel:context=caravan,type=context,name=\\\"caravan\\\"";
    String route = "org.apache.camel:context=caravan,type=routes,name=\\\"import-sftp\\\"";
    for (String allowed :
        List.of(
            "{'type':'version'}",
            "{'type':'read','mbean':'" + route + "','attribute':'State'}",
            "{'type':'read','mbean':'java.lang:type=Memory'}",
            "{'type':'exec','mbean':'" + context + "','operation':'dumpRoutesAsXml()'}",
            "{'type':'exec','mbean':'"
                + route
                + "','operation':'dumpRouteStatsAsXml(boolean,boolean)','arguments':[true,true]}")) {
      assertThat(jolokia(allowed.replace('\'', '"')).at("/status").asInt())
          .as(allowed)
          .isEqualTo(200);
    }
    for (String denied :
        List.of(
            "{'type':'write','mbean':'" + context + "','attribute':'Tracing','value':true}",
            "{'type':'write','mbean':'com.zaxxer.hikari:type=PoolConfig (api)','attribute':'Password','value':'x'}",
            "{'type':'exec','mbean':'" + context + "','operation':'stop()'}",
            "{'type':'exec','mbean':'" + context + "','operation':'suspend()'}",
            "{'type':'exec','mbean':'"
                + context
                + "','operation':'dumpRoutesAsXml(boolean)','arguments':[true]}",
            "{'type':'exec','mbean':'"
                + context
                + "','operation':'sendBody(java.lang.String,java.lang.Object)','arguments':['direct:x','y']}",
            "{'type':'exec','mbean':'" + route + "','operation':'stop()'}",
            "{'type':'exec','mbean':'" + route + "','operation':'remove()'}",
            "{'type':'exec','mbean':'"
                + route
                + "','operation':'updateRouteFromXml','arguments':['<route/>']}",
            "{'type':'exec','mbean':'com.zaxxer.hikari:type=Pool (api)','operation':'softEvictConnections'}",
            "{'type':'exec','mbean':'java.lang:type=Memory','operation':'gc'}",
            "{'type':'exec','mbean':'java.lang:type=Threading','operation':'dumpAllThreads(boolean,boolean)','arguments':[true,true]}",
            "{'type':'exec','mbean':'com.sun.management:type=HotSpotDiagnostic','operation':'dumpHeap','arguments':['x.hprof',true]}",
            "{'type':'exec','mbean':'com.sun.management:type=DiagnosticCommand','operation':'vmSystemProperties','arguments':[]}",
            "{'type':'read','mbean':'com.sun.management:type=HotSpotDiagnostic'}",
            "{'type':'read','mbean':'java.lang:type=Runtime','attribute':'SystemProperties'}",
            "{'type':'read','mbean':'java.lang:type=Runtime','attribute':'InputArguments'}",
            "{'type':'read','mbean':'java.lang:type=Runtime','attribute':['Uptime','SystemProperties']}",
            "{'type':'read','mbean':'java.util.logging:type=Logging'}",
            "{'type':'notification','command':'register'}",
            "{'type':'notification','command':'add','client':'x','mode':'pull','mbean':'java.lang:type=Memory'}")) {
      JsonNode answer = jolokia(denied.replace('\'', '"'));
      assertThat(answer.at("/status").asInt()).as("%s: %s", denied, answer).isEqualTo(403);
      assertThat(answer.has("value")).isFalse();
      assertThat(answer.has("stacktrace")).isFalse();
    }
    try (ServerSocket elsewhere = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      elsewhere.setSoTimeout(200);
      jolokia(
          "{\"type\":\"read\",\"mbean\":\"java.lang:type=Memory\",\"target\":{\"url\":\"service:jmx:rmi:///jndi/rmi://127.0.0.1:%d/jmxrmi\"}}"
              .formatted(elsewhere.getLocalPort()));
      assertThatThrownBy(elsewhere::accept).isInstanceOf(SocketTimeoutException.class);
    }
    assertThat(caravan.context().getStatus().isStarted()).isTrue();
  }

  private static String context(String operation, String arguments) {
    return jolokia(
            """
            {"type": "exec", "mbean": "org.apache.camel:context=caravan,type=context,name=\\"caravan\\"",
             "operation": "%s", "arguments": [%s]}"""
                .formatted(operation, arguments))
        .at("/value")
        .asText();
  }

  /** Ids of the elements in each element with an id that has one of them. */
  private static Map<String, Set<String>> ids(String xml, String outer, String inner) {
    Map<String, Set<String>> ids = new TreeMap<>();
    Matcher parts =
        Pattern.compile("<%s [^>]*?id=\"([^\"]+)\".*?</%1$s>".formatted(outer), Pattern.DOTALL)
            .matcher(xml);
    while (parts.find()) {
      Set<String> of = ids.computeIfAbsent(parts.group(1), id -> new TreeSet<>());
      Pattern.compile("<" + inner + " [^>]*?id=\"([^\"]+)\"")
          .matcher(parts.group())
          .results()
          .forEach(found -> of.add(found.group(1)));
    }
    return ids;
  }

  /** Hawtio looks for the counts of a step under the id that the step has in the diagram. */
  @Test
  void theStepsOfADiagramAreCountedUnderTheirIds() {
    String stats = context("dumpRoutesStatsAsXml", "true, true");
    Map<String, Set<String>> drawn = ids(context("dumpRoutesAsXml()", ""), "route", "[a-zA-Z]+");
    Map<String, Set<String>> counted = ids(stats, "routeStat", "processorStat");
    assertThat(counted.get("import-sftp"))
        .contains("find-import", "list-files", "plan-load", "load-file", "end-import");
    counted.keySet().removeIf(route -> route.contains("tableau")); // has a nodePrefixId
    counted.forEach((route, steps) -> assertThat(drawn.get(route)).as(route).containsAll(steps));
    assertThat(stats)
        .containsPattern("<processorStat id=\"load-file\"[^>]* exchangesCompleted=\"[1-9]");
  }

  @Test
  void nothingThatJolokiaShowsHasASecret() {
    ObjectMapper mapper = new ObjectMapper();
    JsonNode names = jolokia("{\"type\":\"search\",\"mbean\":\"*:*\"}").at("/value");
    Map<String, Integer> domains = new TreeMap<>();
    ArrayNode reads = mapper.createArrayNode();
    for (JsonNode name : names) {
      domains.merge(name.asText().replaceFirst(":.*", ""), 1, Integer::sum);
      ObjectNode read = reads.addObject().put("type", "read").put("mbean", name.asText());
      read.putObject("config").put("ignoreErrors", true).put("maxDepth", 8);
      for (String operation : List.of("dumpRoutesAsXml()", "dumpRouteAsXml()")) {
        if (name.asText().matches(".*type=(context|routes),.*")) {
          ObjectNode exec = reads.addObject().put("type", "exec");
          exec.put("mbean", name.asText()).put("operation", operation);
        }
      }
    }
    assertThat(domains).containsOnlyKeys("com.zaxxer.hikari", "java.lang", "org.apache.camel");
    String key = caravan.key("default", Role.ADMIN);
    String dump =
        jolokia("{\"type\":\"list\"}").toString()
            + port.with("Authorization", "Bearer " + key).post("/jolokia", reads.toString()).body()
            + scrape(as(Role.VIEWER));
    assertThat(dump)
        .contains("import-sftp", "spare-tableau", "HeapMemoryUsage", "ActiveConnections");
    String password = server.login().get("password");
    List<String> found =
        List.of(CANARY, password, key, key.substring(4, 16), System.getProperty("user.home"))
            .stream()
            .filter(dump::contains)
            .map(
                secret ->
                    dump.substring(
                        Math.max(0, dump.indexOf(secret) - 300), dump.indexOf(secret) + 100))
            .toList();
    assertThat(found).isEmpty();
  }

  @Test
  void hawtioDrawsOurRoutes() throws Exception {
    assumeTrue(Browser.isThere(), "there is no browser");
    ChromeDriver browser = Browser.start(folder, 1360, 860);
    try {
      String key = caravan.key("default", Role.ADMIN);
      browser.get(port.base().toString().replace("//", "//x:" + key + "@") + "/hawtio/user");
      browser.get(port.base() + "/hawtio/");
      // The page chooses something itself when it has loaded: choose until it stays.
      new WebDriverWait(browser, Duration.ofSeconds(90), Duration.ofSeconds(1))
          .ignoring(WebDriverException.class)
          .until(
              d -> {
                List<WebElement> route = d.findElements(By.xpath("//*[text() = 'import-sftp']"));
                boolean chosen = !d.findElements(By.xpath("//*[text() = 'Properties']")).isEmpty();
                if (!chosen) {
                  (route.isEmpty() ? d.findElement(By.xpath("//*[text() = 'jobs']")) : route.get(0))
                      .click();
                }
                return d.findElement(By.tagName("body")).getText().contains("(ID: plan-load)");
              });
    } finally {
      browser.quit();
    }
  }
}
