package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one tenant, or nobody in particular, does to the API is not felt by others. */
class TenantSharesTest {

  private static final int SILENT_SERVERS = 25;

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static TestCaravan caravan;
  private static Api admin;

  @BeforeAll
  static void start() throws Exception {
    caravan =
        TestCaravan.start(
            DATABASE, folder, Map.of("caravan.connections.allow", "127.0.0.0/8,localhost"));
    admin = caravan.as("a", Role.ADMIN);
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  private static String connection(int port) {
    HttpResponse<String> made =
        admin.post(
            "/api/v1/connections",
            "{\"name\":\"silent%1$d\",\"database_url\":\"postgresql://u@127.0.0.1:%1$d/d\"}"
                .formatted(port));
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    return Api.json(made).at("/id").asText();
  }

  /** Kernels let clients in that nobody serves. */
  @Test
  void silentServersOfOneTenantAreNotFeltByOthersAndLeaveNoThread() throws Exception {
    List<ServerSocket> silent = new ArrayList<>();
    ExecutorService callers = Executors.newFixedThreadPool(SILENT_SERVERS);
    try {
      List<CompletableFuture<HttpResponse<String>>> tests = new ArrayList<>();
      List<String> connections = new ArrayList<>();
      for (int i = 0; i < SILENT_SERVERS; i++) {
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        silent.add(server);
        connections.add(connection(server.getLocalPort()));
      }
      for (String id : connections) {
        tests.add(
            CompletableFuture.supplyAsync(
                () -> admin.post("/api/v1/connections/" + id + "/test", ""), callers));
      }
      await().until(() -> tests.stream().filter(CompletableFuture::isDone).count() >= 21);
      Api other = caravan.as("b", Role.VIEWER);
      List<Long> millis = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        long before = System.nanoTime();
        assertThat(other.get("/api/v1/jobs").statusCode()).isEqualTo(200);
        millis.add(Duration.ofNanos(System.nanoTime() - before).toMillis());
      }
      assertThat(tests.stream().filter(test -> !test.isDone()).count()).isEqualTo(4);
      assertThat(millis.stream().sorted().skip(40).findFirst().orElseThrow()).isLessThan(1000);
      Map<Integer, Long> statuses =
          tests.stream()
              .map(CompletableFuture::join)
              .collect(Collectors.groupingBy(HttpResponse::statusCode, Collectors.counting()));
      assertThat(statuses).isEqualTo(Map.of(200, 4L, 429, 21L));
      assertThat(tests.stream().map(CompletableFuture::join))
          .filteredOn(answer -> answer.statusCode() == 200)
          .allSatisfy(
              answer ->
                  assertThat(Api.json(answer).at("/message").asText()).contains("longer than 8 s"));
      await().until(() -> threadsInTheDriver() == 0);
    } finally {
      callers.shutdownNow();
      for (ServerSocket server : silent) {
        server.close();
      }
    }
  }

  private static long threadsInTheDriver() {
    return Thread.getAllStackTraces().values().stream()
        .filter(
            stack ->
                Arrays.stream(stack)
                    .anyMatch(
                        frame -> frame.getClassName().startsWith("dev.caravan.setup.Checked")))
        .count();
  }

  @Test
  void anAddressWithABadEscapeIsAnswered() throws Exception {
    String key = caravan.key("a", Role.ADMIN);
    for (String path : List.of("/%", "/api/v1/jobs/%zz", "/api/v1/jobs?status=%", "/%f?%8")) {
      for (String login : List.of("", "Authorization: Bearer " + key + "\r\n")) {
        assertThat(raw("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + login))
            .as(path + " " + login.length())
            .startsWith("HTTP/1.1 400 ");
      }
    }
  }

  private static String raw(String head) throws IOException {
    URI base = caravan.anybody().base();
    try (Socket socket = new Socket(base.getHost(), base.getPort())) {
      socket.setSoTimeout(5_000);
      socket.getOutputStream().write((head + "\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void noTextHasANul() {
    JsonNode problem =
        Api.json(
            admin.post(
                "/api/v1/connections",
                "{\"name\":\"a\\u0000\",\"database_url\":\"postgresql://u@127.0.0.1/d\"}"));
    assertThat(problem.at("/status").asInt()).as(problem.toString()).isEqualTo(422);
    assertThat(problem.at("/errors").toString()).contains("/name", "NUL");
    HttpResponse<String> mended =
        admin.put("/api/v1/jobs/" + UUID.randomUUID() + "/rejects/1", "{\"raw\":\"a\\u0000,b\"}");
    assertThat(mended.statusCode()).as(mended.body()).isEqualTo(422);
    assertThat(admin.get("/api/v1/jobs?cursor=%00").statusCode()).isEqualTo(400);
  }

  @Test
  void manyMistakesAreABoundedAnswer() {
    String many = "1,".repeat(100_000) + "1";
    HttpResponse<String> answer =
        admin.post("/api/v1/import", "{\"project\":\"p\",\"uploads\":[%s]}".formatted(many));
    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.body()).hasSizeLessThan(64 * 1024);
    String some = "1,".repeat(2_000) + "1";
    JsonNode problem =
        Api.json(
            admin.post("/api/v1/import", "{\"project\":\"p\",\"uploads\":[%s]}".formatted(some)));
    assertThat(problem.at("/errors")).hasSize(100);
    assertThat(problem.at("/detail").asText()).contains("the first 100 of ");
  }

  @Test
  void aStreamEndsWhenItsKeyIsRevoked() throws Exception {
    UUID job = UUID.randomUUID();
    new Sql(DATABASE.url(), null, null)
        .execute(
            "INSERT INTO caravan.job (id, kind, project, state, tenant) VALUES ('%s', 'k', 'p', 'queued', 's')"
                .formatted(job));
    Api viewer = caravan.as("s", Role.VIEWER);
    CompletableFuture<HttpResponse<String>> stream =
        CompletableFuture.supplyAsync(() -> viewer.get("/api/v1/jobs/" + job + "/events"));
    Api owner = caravan.as("s", Role.ADMIN);
    String key = viewersKey(owner).at("/id").asText();
    await().until(() -> !viewersKey(owner).at("/last_used_at").isNull());
    assertThat(stream).isNotDone();
    assertThat(owner.send("DELETE", "/api/v1/keys/" + key).statusCode()).isLessThan(300);
    await().atMost(Duration.ofSeconds(8)).until(stream::isDone);
    assertThat(stream.join().statusCode()).isEqualTo(200);
  }

  private static JsonNode viewersKey(Api owner) {
    for (JsonNode key : Api.json(owner.get("/api/v1/keys")).at("/keys")) {
      if (key.at("/role").asText().equals("viewer")) {
        return key;
      }
    }
    throw new AssertionError("no key of a viewer");
  }

  @Test
  void theDataIsForItsOwnerAlone() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      Path data = all.filter(path -> path.endsWith("data")).findFirst().orElseThrow();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data)))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void anUploadThatDripsIsEndedAndOneThatFlowsIsNot() {
    assertThat(UploadTransfer.isTooSlow(600_000, 5_000, 600_000)).isTrue();
    assertThat(UploadTransfer.isTooSlow(600_000, 5_000, 60_000_000)).isFalse();
    assertThat(UploadTransfer.isTooSlow(20_000, 5_000, 1)).isFalse();
    assertThat(UploadTransfer.isTooSlow(40_000, 31_000, 60_000_000)).isTrue();
    assertThat(UploadTransfer.isTooSlow(7 * 3_600_000L, 1, Long.MAX_VALUE)).isTrue();
  }

  @Test
  void aShareIsOfOneAndOfAll() {
    Share share = new Share(2, 3);
    assertThat(List.of(share.take("a"), share.take("a"), share.take("a")))
        .containsExactly(true, true, false);
    assertThat(List.of(share.take("b"), share.take("c"))).containsExactly(true, false);
    share.give("a");
    assertThat(share.take("c")).isTrue();
  }
}
