package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starting, following, stopping and repeating imports by the REST API. */
class JobActionsTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path folder;

  private final List<String> received = new CopyOnWriteArrayList<>();
  private HttpServer receiver;
  private UnrulySftpServer server;
  private TestCaravan caravan;
  private Api operator;
  private Sql sql;

  /** The project is imported by triggers only: its schedule is far away. */
  @BeforeEach
  void start() throws Exception {
    server = UnrulySftpServer.start(folder.resolve("mina"));
    int receiverPort = startReceiver();
    String project =
        TestCaravan.project("p", "t", server.login()) + "schedule: {cron: '0 0 0 1 1 ? 2099'}\n";
    TestDatabase database = TestDatabase.create();
    sql = new Sql(database.url(), null, null);
    caravan =
        TestCaravan.start(
            database,
            folder,
            Map.of(
                "caravan.webhook.allow",
                "127.0.0.1:" + receiverPort,
                "caravan.queues",
                "default:1:1"), // so that a second job waits
            project);
    operator = caravan.as("default", Role.OPERATOR);
  }

  @AfterEach
  void stop() throws Exception {
    caravan.close();
    server.close();
    receiver.stop(0);
  }

  private int startReceiver() throws IOException {
    receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext(
        "/",
        call -> {
          received.add(new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          call.sendResponseHeaders(204, -1);
          call.close();
        });
    receiver.start();
    return receiver.getAddress().getPort();
  }

  private String trigger(String json) {
    HttpResponse<String> answer = operator.post("/api/v1/import", json);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    String id = Api.json(answer).get("job_id").asText();
    assertThat(answer.headers().firstValue("Location")).hasValue("/api/v1/jobs/" + id);
    return id;
  }

  private String trigger() {
    return trigger("{\"project\": \"p\"}");
  }

  private JsonNode job(String id) {
    return Api.json(operator.get("/api/v1/jobs/" + id));
  }

  private JsonNode awaitEnd(String id) {
    return await().atMost(PATIENCE).until(() -> job(id), job -> !job.get("completed_at").isNull());
  }

  private static void refused(HttpResponse<String> answer, int status, String code) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(Api.json(answer).get("error_code").asText()).isEqualTo(code);
  }

  @Test
  void oneImportLoadsAllFilesThatAreReadyAndTellsOfEach() {
    server.put("a.csv", "id,name\n1,one\n");
    server.put("b.csv", "id,name\n2,two\n3,\n");
    server.put("bad.csv", "no,key\n1,2\n");
    JsonNode job = awaitEnd(trigger());
    assertThat(job.at("/status").asText()).isEqualTo("failed");
    assertThat(job.at("/error_code").asText()).isEqualTo("UNKNOWN_COLUMN");
    assertThat(job.at("/message").asText()).contains("1 of 3 files failed", "bad.csv");
    assertThat(job.at("/result/inserted").asInt()).isEqualTo(3);
    assertThat(job.at("/file_results")).hasSize(3);
    assertThat(job.at("/file_results/0/status").asText()).isEqualTo("loaded");
    assertThat(job.at("/file_results/2/error_code").asText()).isEqualTo("UNKNOWN_COLUMN");
    assertThat(caravan.ids("t")).containsExactly("1", "2", "3");
    await().until(() -> server.file(".done/a.csv").toFile().exists());
    assertThat(server.file("bad.csv")).exists();
    JsonNode again = awaitEnd(trigger());
    assertThat(again.at("/status").asText())
        .as("bad.csv has a job that failed")
        .isEqualTo("completed");
    assertThat(again.at("/result/files").asInt()).isZero();
  }

  @Test
  void theSameKeyIsTheSameJobForAnyNumberOfCallersAtOnce() throws Exception {
    Api keyed = operator.with("Idempotency-Key", "run-17");
    ExecutorService callers = Executors.newFixedThreadPool(16);
    try {
      List<Future<HttpResponse<String>>> calls = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        calls.add(callers.submit(() -> keyed.post("/api/v1/import", "{\"project\":\"p\"}")));
      }
      List<String> ids = new ArrayList<>();
      for (Future<HttpResponse<String>> call : calls) {
        assertThat(call.get().statusCode()).as(call.get().body()).isEqualTo(202);
        ids.add(Api.json(call.get()).get("job_id").asText());
      }
      assertThat(ids.stream().distinct()).hasSize(1);
    } finally {
      callers.shutdownNow();
    }
    refused(
        keyed.post("/api/v1/import", "{\"project\":\"p\",\"force\":true}"),
        422,
        "IDEMPOTENCY_CONFLICT");
  }

  @Test
  void refusesWhatItCannotStart() {
    refused(operator.post("/api/v1/import", "{\"project\":\"q\"}"), 422, "INVALID");
    refused(
        operator.post(
            "/api/v1/import", "{\"project\":\"p\",\"callback_url\":\"http://10.0.0.1/x\"}"),
        422,
        "CALLBACK_REFUSED");
    refused(
        caravan.as("another", Role.OPERATOR).post("/api/v1/import", "{\"project\":\"p\"}"),
        422,
        "INVALID");
  }

  @Test
  void whatRunsAlreadyIsTheAnswerOrAReasonToRefuse() throws Exception {
    server.put("a.csv", "id,name\n" + "1,one\n".repeat(10));
    server.holdAt(0);
    String first = trigger();
    await().atMost(PATIENCE).until(server::isHolding);
    assertThat(trigger("{\"project\":\"p\",\"if_running\":\"attach\"}")).isEqualTo(first);
    refused(
        operator.post("/api/v1/import", "{\"project\":\"p\",\"if_running\":\"fail\"}"),
        409,
        "ALREADY_RUNNING");
    server.release();
    awaitEnd(first);
  }

  @Test
  void aRunningImportIsCancelledAndDoneAgain() {
    server.put("a.csv", "id,name\n1,one\n");
    server.holdAt(0);
    String id = trigger();
    await().atMost(PATIENCE).until(server::isHolding);
    HttpResponse<String> answer = operator.send("POST", "/api/v1/jobs/" + id + "/cancel");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    assertThat(Api.json(answer).get("status").asText()).isEqualTo("cancelled");
    server.release();
    refused(operator.send("POST", "/api/v1/jobs/" + id + "/cancel"), 409, "TOO_LATE");
    HttpResponse<String> again = operator.send("POST", "/api/v1/jobs/" + id + "/retry");
    assertThat(again.statusCode()).as(again.body()).isEqualTo(202);
    JsonNode retried = awaitEnd(Api.json(again).get("job_id").asText());
    assertThat(retried.at("/status").asText()).isEqualTo("completed");
    assertThat(retried.at("/retry_of").asText()).isEqualTo(id);
    assertThat(caravan.ids("t")).containsExactly("1");
    refused(
        operator.send("POST", "/api/v1/jobs/" + retried.at("/job_id").asText() + "/retry"),
        409,
        "TOO_LATE");
    String unknown = UUID.randomUUID().toString();
    refused(operator.send("POST", "/api/v1/jobs/" + unknown + "/cancel"), 404, "NOT_FOUND");
    refused(
        caravan.as("another", Role.ADMIN).send("POST", "/api/v1/jobs/" + id + "/retry"),
        404,
        "NOT_FOUND");
  }

  @Test
  void whoAskedIsToldOnceThatAJobWasCancelledOrExpired() throws Exception {
    server.put("a.csv", "id,name\n1,one\n");
    server.holdAt(0);
    String callback =
        ",\"callback_url\":\"http://127.0.0.1:%d/hook\"}"
            .formatted(receiver.getAddress().getPort());
    String running = trigger("{\"project\":\"p\"" + callback);
    await().atMost(PATIENCE).until(server::isHolding);
    String cancelled = trigger("{\"project\":\"p\"" + callback);
    String expired = trigger("{\"project\":\"p\",\"start_within\":1" + callback);
    awaitEnd(expired); // or it might be begun before anybody looks at the time
    for (String id : List.of(cancelled, running)) {
      HttpResponse<String> answer = operator.send("POST", "/api/v1/jobs/" + id + "/cancel");
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    }
    server.release();
    await().atMost(PATIENCE).until(() -> received.size() >= 3);
    for (String id : List.of(running, cancelled, expired)) {
      String code = id.equals(expired) ? "EXPIRED" : "CANCELLED";
      List<JsonNode> told = new ArrayList<>();
      for (String body : received) {
        JsonNode job = new ObjectMapper().readTree(body);
        if (job.at("/job_id").asText().equals(id)) {
          told.add(job);
        }
      }
      assertThat(told).hasSize(1);
      assertThat(told.get(0).at("/type").asText()).isEqualTo("job.cancelled");
      assertThat(told.get(0).at("/error_code").asText()).isEqualTo(code);
      assertThat(told.get(0).at("/timestamp")).isEqualTo(job(id).at("/completed_at"));
    }
    assertThat(sql.rows("SELECT attempts, state FROM caravan.outbox WHERE kind = 'webhook'"))
        .containsOnly("1|done")
        .hasSize(3);
  }

  @Test
  void whoAskedIsToldAndTheDeliveryIsOnRecordAndRepeated() throws Exception {
    server.put("a.csv", "id,name\n1,one\n");
    String url = "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook";
    String id = trigger("{\"project\":\"p\",\"callback_url\":\"" + url + "\"}");
    await().atMost(PATIENCE).until(() -> !received.isEmpty());
    JsonNode told = new ObjectMapper().readTree(received.get(0));
    assertThat(told.at("/job_id").asText()).isEqualTo(id);
    assertThat(told.at("/result/inserted").asInt()).isEqualTo(1);
    String path = "/api/v1/jobs/" + id + "/deliveries";
    JsonNode webhook =
        await()
            .atMost(PATIENCE)
            .until(() -> delivery(path, "webhook"), d -> d.at("/state").asText().equals("done"));
    assertThat(webhook.at("/attempts/0/status_code").asInt()).isEqualTo(204);
    assertThat(delivery(path, "move_file").isMissingNode()).isFalse();
    String entry = webhook.at("/id").asText();
    assertThat(operator.send("POST", path + "/" + entry + "/redeliver").statusCode())
        .isEqualTo(202);
    await().atMost(PATIENCE).until(() -> received.size() == 2);
    refused(operator.send("POST", path + "/" + UUID.randomUUID() + "/redeliver"), 404, "NOT_FOUND");
  }

  private JsonNode delivery(String path, String kind) {
    for (JsonNode delivery : Api.json(operator.get(path)).get("deliveries")) {
      if (delivery.at("/kind").asText().equals(kind)) {
        return delivery;
      }
    }
    return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
  }

  @Test
  void eventsTellTheJobAndItsLogUntilItsEnd() {
    server.put("a.csv", "id,name\n1,one\n");
    String id = trigger();
    HttpResponse<String> events = operator.get("/api/v1/jobs/" + id + "/events");
    assertThat(events.headers().firstValue("Content-Type")).hasValue("text/event-stream");
    List<String> lines = events.body().lines().toList();
    assertThat(lines).contains("event: job");
    assertThat(
            lines.stream()
                .filter(l -> l.startsWith("data: ") && l.contains("\"status\""))
                .reduce((a, b) -> b))
        .hasValueSatisfying(last -> assertThat(last).contains("\"completed\""));
    refused(operator.get("/api/v1/jobs/" + UUID.randomUUID() + "/events"), 404, "NOT_FOUND");
  }

  @Test
  void aWebSocketTellsTheSame() throws Exception {
    server.put("a.csv", "id,name\n1,one\n");
    String id = trigger();
    List<String> messages = new CopyOnWriteArrayList<>();
    CountDownLatch closed = new CountDownLatch(1);
    StringBuilder part = new StringBuilder();
    WebSocket.Listener listener =
        new WebSocket.Listener() {
          @Override
          public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            part.append(data);
            if (last) {
              messages.add(part.toString());
              part.setLength(0);
            }
            socket.request(1);
            return null;
          }

          @Override
          public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
            closed.countDown();
            return null;
          }
        };
    HttpClient.newHttpClient()
        .newWebSocketBuilder()
        .header("Authorization", operator.headers().get("Authorization"))
        .buildAsync(
            URI.create(
                operator.base().toString().replace("http:", "ws:")
                    + "/api/v1/jobs/"
                    + id
                    + "/events"),
            listener)
        .get(10, TimeUnit.SECONDS);
    assertThat(closed.await(30, TimeUnit.SECONDS)).isTrue();
    List<JsonNode> jobs = new ArrayList<>();
    for (String message : messages) {
      JsonNode json = new ObjectMapper().readTree(message);
      if (json.at("/event").asText().equals("job")) {
        jobs.add(json.at("/data"));
      }
    }
    assertThat(jobs.get(jobs.size() - 1).at("/status").asText()).isEqualTo("completed");
  }

  @Test
  void refusedRecordsAreFixedAndLoaded() {
    server.put("a.csv", "id,name\n1,one\n,none\n3\n4,four\n");
    String id = trigger();
    JsonNode job = awaitEnd(id);
    assertThat(job.at("/result/rejected").asInt()).isEqualTo(2);
    String rejects = "/api/v1/jobs/" + id + "/rejects";
    assertThat(
            operator
                .with("Content-Type", "application/json")
                .send("PUT", rejects + "/3", "{\"raw\":\"2,two\"}".getBytes(StandardCharsets.UTF_8))
                .statusCode())
        .isEqualTo(204);
    refused(
        operator
            .with("Content-Type", "application/json")
            .send("PUT", rejects + "/2", "{\"raw\":\"2,two\"}".getBytes(StandardCharsets.UTF_8)),
        404,
        "NOT_FOUND");
    HttpResponse<String> replay = operator.send("POST", rejects + "/replay");
    assertThat(replay.statusCode()).as(replay.body()).isEqualTo(202);
    JsonNode replayed = awaitEnd(Api.json(replay).get("job_id").asText());
    assertThat(replayed.at("/status").asText()).as(replayed.toString()).isEqualTo("completed");
    assertThat(replayed.at("/result/inserted").asInt()).isEqualTo(1);
    assertThat(caravan.ids("t")).containsExactly("1", "2", "4");
    List<String> states = new ArrayList<>();
    Api.json(operator.get(rejects))
        .get("rejects")
        .forEach(r -> states.add(r.get("status").asText()));
    assertThat(states).containsExactly("replayed", "open");
    JsonNode nothing =
        awaitEnd(Api.json(operator.send("POST", rejects + "/replay")).get("job_id").asText());
    assertThat(nothing.at("/error_code").asText()).isEqualTo("EMPTY_FILE");
  }

  @Test
  void theLogOfAJobIsReadAlone() {
    server.put("a.csv", "id,name\n1,one\n");
    String id = trigger();
    awaitEnd(id);
    String path = "/api/v1/jobs/" + id + "/log";
    JsonNode first = Api.json(operator.get(path + "?limit=1"));
    long next = first.get("next").asLong();
    JsonNode rest = Api.json(operator.get(path + "?after=" + next));
    List<String> texts = new ArrayList<>();
    rest.get("lines").forEach(line -> texts.add(line.get("message").asText()));
    assertThat(texts.stream().collect(Collectors.joining()))
        .doesNotContain(UnrulySftpServer.PASSWORD);
    assertThat(rest.get("next").asLong()).isGreaterThanOrEqualTo(next);
  }
}
