package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.Caller;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.upload.Uploads;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UploadsApiTest {

  private static final String PATH = "/api/v1/uploads";
  private static final int MAX_BYTES = 20_000_000;
  private static final int CONCURRENT = 3;

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static TestCaravan caravan;
  private static Api operator;

  @BeforeAll
  static void start() throws Exception {
    caravan =
        TestCaravan.start(
            DATABASE,
            folder,
            Map.of(
                "caravan.upload.max-bytes", String.valueOf(MAX_BYTES),
                "caravan.upload.concurrent", String.valueOf(CONCURRENT)),
            """
            project: up
            connection: warehouse
            defaults: {file_pattern: "*.csv", primary_key: id}
            schedule: {cron: "0 0 0 1 1 ? 2099"}
            """);
    operator = caravan.as("default", Role.OPERATOR);
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  private static HttpResponse<String> raw(String query, String type, byte[] body) {
    return operator.with("Content-Type", type).send("POST", PATH + query, body);
  }

  private static byte[] csv(int rows) {
    StringBuilder text = new StringBuilder("id,v\n");
    for (int i = 0; i < rows; i++) {
      text.append(i).append(",some text of a line that is not short ").append(i).append('\n');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static void assertNothingIsLeft() {
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () ->
                assertThat(
                        caravan.texts("SELECT id FROM caravan.upload WHERE completed_at IS NULL"))
                    .isEmpty());
  }

  private static byte[] kept(String id) {
    StringBuilder hex = new StringBuilder();
    caravan
        .texts(
            "SELECT encode(content, 'hex') FROM caravan.upload_chunk WHERE upload_id = '"
                + id
                + "' ORDER BY number")
        .forEach(hex::append);
    return HexFormat.of().parseHex(hex);
  }

  @Test
  void keepsWhatCameByteForByte() throws Exception {
    byte[] body = csv(90_000);
    HttpResponse<String> answer = raw("?filename=big.csv", "text/csv", body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    assertThat(Api.json(answer).at("/bytes").asInt()).isEqualTo(body.length);
    assertThat(Api.json(answer).at("/sha256").asText()).isEqualTo(sha256(body));
    assertThat(kept(Api.json(answer).at("/upload_id").asText())).isEqualTo(body);
  }

  private static String part(String name, String text) {
    return "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\nContent-Type: text/csv\r\n\r\n%s\r\n"
        .formatted(name, text);
  }

  private static HttpResponse<String> form(String text) {
    return raw("", "multipart/form-data; boundary=b", text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void takesTheOneFileOfAForm() {
    HttpResponse<String> answer = form(part("form.csv", "id\n1\n") + "--b--\r\n");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    assertThat(kept(Api.json(answer).at("/upload_id").asText()))
        .isEqualTo("id\n1\n".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void refusesWhatIsNoOneFileWithAPlainName() {
    String end = "--b--\r\n";
    assertThat(form(end).statusCode()).isEqualTo(400);
    assertThat(form(part("a.csv", "id\n1\n") + part("b.csv", "id\n1\n") + end).statusCode())
        .isEqualTo(400);
    assertThat(form(part("../../x", "id\n1\n") + end).statusCode()).isEqualTo(400);
    assertThat(form(part("a".repeat(256), "id\n1\n") + end).statusCode()).isEqualTo(400);
    assertThat(form(part("empty.csv", "") + end).statusCode()).isEqualTo(400);
    assertThat(form("--other\r\n\r\nx\r\n--other--\r\n").statusCode()).isEqualTo(400);
    assertThat(form(part("cut.csv", "id\n1\n")).statusCode()).isEqualTo(400);
    assertThat(raw("", "text/csv", csv(1)).statusCode()).isEqualTo(400);
    assertThat(raw("?filename=..%2fx", "text/csv", csv(1)).statusCode()).isEqualTo(400);
    assertThat(raw("?filename=a.csv", "text/csv", new byte[0]).statusCode()).isEqualTo(400);
    assertThat(raw("?filename=a.csv", "application/xml", csv(1)).statusCode()).isEqualTo(415);
    assertNothingIsLeft();
  }

  @Test
  void refusesWhatIsTooLargeHoweverItsLengthIsTold() throws Exception {
    byte[] body = new byte[MAX_BYTES + 1];
    HttpResponse<String> answer = raw("?filename=a.csv", "text/csv", body);
    assertThat(answer.statusCode()).isEqualTo(413);
    try (Socket socket = begin("Transfer-Encoding: chunked")) {
      OutputStream out = socket.getOutputStream();
      byte[] piece = new byte[1 << 20];
      for (int i = 0; i < 24; i++) {
        try {
          out.write(
              (Integer.toHexString(piece.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
          out.write(piece);
          out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
        } catch (java.io.IOException e) {
          break; // it has answered and closed
        }
      }
    }
    assertNothingIsLeft();
  }

  /** A request whose body does not come. */
  private static Socket begin(String header) throws Exception {
    Socket socket =
        new Socket(java.net.InetAddress.getLoopbackAddress(), operator.base().getPort());
    socket.setSoTimeout(20_000);
    String head =
        "POST %s?filename=slow.csv HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nAuthorization: %s\r\n%s\r\n\r\n"
            .formatted(PATH, operator.headers().get("Authorization"), header);
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  @Test
  void theReserveOfTheDiskStaysFree() {
    Vertx vertx = Vertx.vertx();
    try {
      Router router = Router.router(vertx);
      UploadsApi.Limits limits = new UploadsApi.Limits(1000, 1, () -> UploadsApi.RESERVE + 10);
      router
          .post()
          .handler(
              call -> {
                Guard.introduce(call, new Caller("a", Role.OPERATOR, "key"));
                call.next();
              })
          .handler(new UploadsApi(null, limits));
      HttpServer full =
          vertx
              .createHttpServer()
              .requestHandler(router)
              .listen(0, "127.0.0.1")
              .toCompletionStage()
              .toCompletableFuture()
              .join();
      HttpResponse<String> answer =
          new Api(
                  URI.create("http://127.0.0.1:" + full.actualPort()),
                  Map.of("Content-Type", "text/csv"))
              .send("POST", "/?filename=a.csv", new byte[11]);
      assertThat(answer.statusCode()).isEqualTo(507);
      assertThat(answer.body()).contains("INSUFFICIENT_STORAGE");
    } finally {
      vertx.close().toCompletionStage().toCompletableFuture().join();
    }
  }

  @Test
  void abortedOnesLeaveNothingAndGiveTheirSlotBack() throws Exception {
    for (int i = 0; i < 100; i++) {
      List<Socket> some = new ArrayList<>();
      for (int k = 0; k < CONCURRENT; k++) {
        Socket socket = begin("Content-Length: 10000000");
        socket.getOutputStream().write(new byte[1000 + 30_000 * (i % 50)]);
        some.add(socket);
      }
      for (Socket socket : some) {
        socket.close();
      }
    }
    assertNothingIsLeft();
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> raw("?filename=a.csv", "text/csv", csv(1)).statusCode() == 201);
  }

  @Test
  void moreAtOnceThanMayBeAreToldToWait() throws Exception {
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> raw("?filename=a.csv", "text/csv", csv(1)).statusCode() == 201);
    List<Socket> held = new ArrayList<>();
    for (int i = 0; i < CONCURRENT; i++) {
      held.add(begin("Content-Length: 1000"));
    }
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> {
              HttpResponse<String> answer = raw("?filename=a.csv", "text/csv", csv(1));
              return answer.statusCode() == 429
                  && answer.body().contains("TOO_MANY_UPLOADS")
                  && answer.headers().firstValue("Retry-After").isPresent();
            });
    held.get(0).getOutputStream().write(new byte[1000]);
    InputStream in = held.get(0).getInputStream();
    byte[] status = in.readNBytes("HTTP/1.1 201".length());
    assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 201");
    for (Socket socket : held) {
      socket.close();
    }
    assertNothingIsLeft();
  }

  @Test
  void fiftyAtOnceStayInBounds() throws Exception {
    byte[] body = csv(60_000);
    ExecutorService callers = Executors.newFixedThreadPool(50);
    try {
      List<Future<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        String query = "?filename=f" + i + ".csv";
        answers.add(callers.submit(() -> raw(query, "application/octet-stream", body)));
      }
      int taken = 0;
      for (Future<HttpResponse<String>> answer : answers) {
        try {
          assertThat(answer.get().statusCode()).isIn(201, 429);
          taken += answer.get().statusCode() == 201 ? 1 : 0;
        } catch (java.util.concurrent.ExecutionException e) {
          // refused and closed while its body was still being written
          assertThat(e).hasRootCauseInstanceOf(java.io.IOException.class);
        }
      }
      assertThat(taken).isPositive();
    } finally {
      callers.shutdownNow();
    }
    assertNothingIsLeft();
  }

  @Test
  void isLoadedByTheRulesOfAProjectAndForgottenThen() throws Exception {
    byte[] body = csv(40_000);
    String id = Api.json(raw("?filename=loaded.csv", "text/csv", body)).at("/upload_id").asText();
    String wanted = "{\"project\":\"up\",\"uploads\":[\"%s\"]}";
    HttpResponse<String> others =
        caravan.as("b", Role.ADMIN).post("/api/v1/import", wanted.formatted(id));
    assertThat(others.statusCode()).isEqualTo(422);
    HttpResponse<String> none =
        operator.post("/api/v1/import", wanted.formatted(java.util.UUID.randomUUID()));
    assertThat(Api.json(none).at("/errors/0/at").asText()).isEqualTo("/uploads/0");
    Api keyed = operator.with("Idempotency-Key", "loaded-once");
    HttpResponse<String> launched = keyed.post("/api/v1/import", wanted.formatted(id));
    assertThat(launched.statusCode()).as(launched.body()).isEqualTo(202);
    TestCaravan.Job job = caravan.awaitEnd("loaded.csv");
    assertThat(job.state()).as(job.message()).isEqualTo("completed");
    assertThat(job.kind()).isEqualTo("import-upload");
    assertThat(caravan.rows("loaded")).isEqualTo(40_000);
    await()
        .atMost(Duration.ofSeconds(40))
        .until(
            () -> caravan.texts("SELECT id FROM caravan.upload WHERE id = '" + id + "'").isEmpty());
    HttpResponse<String> again = keyed.post("/api/v1/import", wanted.formatted(id));
    assertThat(again.statusCode()).as(again.body()).isEqualTo(202);
    assertThat(Api.json(again).at("/job_id").asText()).isEqualTo(job.id().toString());
    assertThat(operator.post("/api/v1/import", wanted.formatted(id)).statusCode()).isEqualTo(422);
  }

  @Test
  void isKeptForAJobThatWaitsForMoreThanADay() throws Exception {
    String id = Api.json(raw("?filename=old.csv", "text/csv", csv(1))).at("/upload_id").asText();
    Sql sql = new Sql(DATABASE.url(), null, null);
    sql.execute(
        """
        UPDATE caravan.upload SET created_at = created_at - interval '25 hours' WHERE id = '%1$s';
        INSERT INTO caravan.job (id, kind, project, state, queue, parameters)
        VALUES ('%1$s', 'import-upload', 'up', 'queued', 'not here', '{"uploads": ["%1$s"]}')"""
            .formatted(id));
    Uploads uploads = new Uploads(DATABASE.dataSource(), "here");
    uploads.sweep();
    String there = "SELECT count(*) FROM caravan.upload WHERE id = '" + id + "'";
    assertThat(sql.value(there)).isEqualTo("1");
    sql.execute("DELETE FROM caravan.job WHERE id = '" + id + "'");
    uploads.sweep();
    assertThat(sql.value(there)).isEqualTo("0");
  }

  @Test
  void theSameFileUploadedAgainIsTheSameImport() {
    Api keyed = operator.with("Idempotency-Key", "day-1");
    HttpResponse<String> first = keyed.post("/api/v1/import", imported("twice.csv", csv(2)));
    assertThat(first.statusCode()).as(first.body()).isEqualTo(202);
    HttpResponse<String> again = keyed.post("/api/v1/import", imported("twice.csv", csv(2)));
    assertThat(Api.json(again).at("/outcome").asText()).isEqualTo("repeated");
    assertThat(Api.json(again).at("/job_id")).isEqualTo(Api.json(first).at("/job_id"));
    for (String other : List.of(imported("twice.csv", csv(3)), imported("thrice.csv", csv(2)))) {
      HttpResponse<String> refused = keyed.post("/api/v1/import", other);
      assertThat(Api.json(refused).at("/error_code").asText()).isEqualTo("IDEMPOTENCY_CONFLICT");
    }
  }

  private static String imported(String filename, byte[] body) {
    String id = Api.json(raw("?filename=" + filename, "text/csv", body)).at("/upload_id").asText();
    return "{\"project\":\"up\",\"uploads\":[\"%s\"]}".formatted(id);
  }
}
