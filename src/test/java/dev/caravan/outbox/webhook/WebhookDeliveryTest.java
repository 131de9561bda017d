package dev.caravan.outbox.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.standardwebhooks.Webhook;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.caravan.outbox.OutboxRig;
import dev.caravan.outbox.RetrySchedule;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WebhookDeliveryTest {

  private static final List<String> SECRETS =
      List.of(
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
  private static final Duration LIMIT = Duration.ofSeconds(15);
  private static final Duration SHORT = Duration.ofMillis(300);

  private static OutboxRig rig;

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private Receiver receiver;

  @BeforeAll
  static void startRig() {
    rig = new OutboxRig();
  }

  @BeforeEach
  void startReceiver() throws IOException {
    receiver = opened(new Receiver());
  }

  @AfterEach
  void stop() throws Exception {
    rig.stopNodes();
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }

  @AfterAll
  static void stopRig() {
    rig.close();
  }

  private <T extends AutoCloseable> T opened(T one) {
    opened.push(one);
    return one;
  }

  /** A node that may go to every port of 127.0.0.1 of this test. */
  private void node(RetrySchedule retries, Duration limit, int... morePorts) {
    List<String> allow = new ArrayList<>(List.of("127.0.0.1:" + receiver.port()));
    for (int port : morePorts) {
      allow.add("127.0.0.1:" + port);
    }
    node(new CallbackUrls(allow, Set.of()), retries, limit);
  }

  private void node(CallbackUrls urls, RetrySchedule retries, Duration limit) {
    WebhookHandler handler =
        opened(
            new WebhookHandler(urls, new WebhookSigner(Map.of("acme", SECRETS)), retries, limit));
    rig.node("node", Map.of(JobWebhook.KIND, handler));
  }

  private UUID add(String url) throws SQLException {
    return rig.add(
        JobWebhook.KIND,
        "{\"url\": \"%s\", \"tenant\": \"acme\", \"body\": {\"status\": \"größer\"}}"
            .formatted(url));
  }

  private void awaitState(UUID entry, String state) {
    await().untilAsserted(() -> assertThat(rig.state(entry)).isEqualTo(state));
  }

  private void awaitAttempts(UUID entry, String... attempts) {
    await().untilAsserted(() -> assertThat(rig.attempts(entry)).containsExactly(attempts));
  }

  @Test
  void signsWhatItSends() throws Exception {
    node(OutboxRig.QUICK, LIMIT);
    UUID entry = add(receiver.url());
    awaitState(entry, "done");
    Receiver.Request request = receiver.requests().get(0);
    assertThat(request.path()).isEqualTo("/hook?token=t");
    assertThat(request.body()).isEqualTo("{\"status\":\"größer\"}");
    assertThat(request.header("content-type")).isEqualTo("application/json");
    assertThat(request.header("user-agent")).startsWith("Caravan/");
    assertThat(request.header("webhook-id")).isEqualTo(entry.toString());
    long timestamp = Long.parseLong(request.header("webhook-timestamp"));
    assertThat(Instant.ofEpochSecond(timestamp))
        .isBetween(Instant.now().minusSeconds(60), Instant.now());
    for (String secret : SECRETS) {
      new Webhook(secret).verify(request.body(), request.headers()); // or it throws
    }
    assertThat(request.headers().keySet()).doesNotContain("Upgrade", "Cookie", "Authorization");
  }

  @Test
  void triesAgainWithTheSameIdAndBody() throws Exception {
    receiver.answer(500).answer(503).answer(200);
    node(OutboxRig.QUICK, LIMIT);
    UUID entry = add(receiver.url());
    awaitState(entry, "done");
    assertThat(rig.attempts(entry)).containsExactly("retry|500", "retry|503", "done|200");
    assertThat(receiver.requests())
        .hasSize(3)
        .allSatisfy(r -> assertThat(r.header("webhook-id")).isEqualTo(entry.toString()))
        .extracting(Receiver.Request::body)
        .containsOnly("{\"status\":\"größer\"}");
  }

  @Test
  void triesForThreeDaysAsStandardWebhooksHasIt() throws Exception {
    try (WebhookHandler handler =
        new WebhookHandler(new CallbackUrls(List.of(), Set.of()), new WebhookSigner(Map.of()))) {
      assertThat(handler.retries().pauses())
          .startsWith(Duration.ofSeconds(5), Duration.ofMinutes(5))
          .endsWith(Duration.ofHours(24))
          .hasSize(9);
      assertThat(handler.retries().pauses().stream().reduce(Duration.ZERO, Duration::plus))
          .isEqualTo(Duration.ofHours(75).plusMinutes(35).plusSeconds(5));
    }
  }

  @Test
  void doesNotFollowARedirect() throws Exception {
    Receiver inside = opened(new Receiver());
    node(OutboxRig.QUICK, LIMIT, inside.port());
    for (int status : List.of(301, 302, 303, 307, 308)) {
      receiver.answer(status, Map.of("Location", inside.url()), "");
      UUID entry = add(receiver.url());
      awaitState(entry, "given_up");
      assertThat(rig.attempts(entry)).containsExactly("final|" + status);
      assertThat(rig.error(entry)).contains("redirects are not followed");
    }
    assertThat(inside.requests()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "410, text/html, gone",
    "404, application/json, {}",
    "409, application/json, The execution \"7\" has finished already."
  })
  void givesUpWhenTheReceiverIsDone(int status, String type, String body) throws Exception {
    receiver.answer(status, Map.of("Content-Type", type), body);
    node(OutboxRig.QUICK, LIMIT);
    UUID entry = add(receiver.url());
    awaitState(entry, "given_up");
    assertThat(rig.attempts(entry)).containsExactly("final|" + status);
  }

  @Test
  void waitsMomentsForAnExecutionOfN8nThatDoesNotWaitYet() throws Exception {
    String running = "{\"message\":\"The execution \\\"7\\\" is running already.\"}";
    receiver
        .answer(409, Map.of("Content-Type", "application/json"), running)
        .answer(409, Map.of("Content-Type", "application/json"), running);
    node(OutboxRig.NEXT_HOUR, LIMIT);
    awaitAttempts(add(receiver.url()), "soon|409", "soon|409", "done|200");
  }

  @Test
  void waitsWhileN8nStarts() throws Exception {
    receiver.answer(404, Map.of("Content-Type", "text/html; charset=utf-8"), "<html>");
    node(OutboxRig.QUICK, LIMIT);
    awaitAttempts(add(receiver.url()), "retry|404", "done|200");
  }

  @Test
  void comesBackWhenItIsAskedTo() throws Exception {
    receiver.answer(429, Map.of("Retry-After", "600"), "");
    node(OutboxRig.QUICK, LIMIT);
    UUID entry = add(receiver.url());
    awaitAttempts(entry, "retry|429");
    await()
        .untilAsserted(
            () ->
                assertThat(
                        rig.sql()
                            .value(
                                "SELECT execution_time - now() BETWEEN interval '9 min' AND interval '10 min' FROM caravan.scheduled_tasks WHERE task_instance = '%s'"
                                    .formatted(entry)))
                    .isEqualTo("t"));
  }

  @Test
  void triesAgainWhenNobodyListens() throws Exception {
    int nobody;
    try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = closed.getLocalPort();
    }
    node(OutboxRig.QUICK, LIMIT, nobody);
    UUID entry = add("http://127.0.0.1:" + nobody);
    awaitState(entry, "given_up");
    assertThat(rig.attempts(entry)).hasSize(4).containsOnly("retry|null");
    assertThat(rig.error(entry)).containsIgnoringCase("refused");
  }

  @Test
  void doesNotWaitForAReceiverThatHangs() throws Exception {
    receiver.hold();
    node(OutboxRig.QUICK, SHORT);
    UUID entry = add(receiver.url());
    await().until(() -> receiver.requests().size() == 1);
    awaitAttempts(entry, "retry|null");
    receiver.release();
    awaitState(entry, "done");
    assertThat(receiver.requests())
        .allSatisfy(r -> assertThat(r.header("webhook-id")).isEqualTo(entry.toString()));
  }

  @Test
  void stopsWhileAReceiverHangsAndLeavesTheRestToAnotherNode() throws Exception {
    receiver.hold();
    node(OutboxRig.NEXT_HOUR, Duration.ofHours(1));
    UUID entry = add(receiver.url());
    await().until(() -> receiver.running() == 1);
    Instant before = Instant.now();
    rig.stopNodes();
    assertThat(Duration.between(before, Instant.now())).isLessThan(Duration.ofSeconds(10));
    assertThat(rig.executions(entry)).isOne();
    receiver.release();
    node(OutboxRig.NEXT_HOUR, LIMIT);
    awaitState(entry, "done");
    assertThat(receiver.requests()).hasSize(2);
  }

  @Test
  void asksOneHostNotMoreThanTwiceAtOnce() throws Exception {
    receiver.hold();
    Receiver other = opened(new Receiver());
    node(OutboxRig.QUICK, LIMIT, other.port());
    List<UUID> entries = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      entries.add(add(receiver.url()));
    }
    await().until(() -> receiver.running() == 2);
    awaitState(add(other.url()), "done");
    assertThat(receiver.running()).isEqualTo(2);
    receiver.release();
    entries.forEach(
        entry -> {
          awaitState(entry, "done");
          assertThat(rig.attempts(entry)).containsExactly("done|200");
        });
    assertThat(receiver.mostAtOnce()).isEqualTo(2);
  }

  @Test
  void connectsToNoAddressThatANameTurnsToAfterItWasChecked() throws Exception {
    AtomicInteger lookUps = new AtomicInteger();
    CallbackUrls urls =
        new CallbackUrls(
            List.of(),
            Set.of(receiver.port()),
            host ->
                InetAddress.getAllByName(
                    lookUps.getAndIncrement() == 0 ? "93.184.216.34" : "127.0.0.1"));
    String url = "http://rebinding.example:" + receiver.port() + "/";
    urls.check(url);
    node(urls, OutboxRig.QUICK, LIMIT);
    UUID entry = add(url);
    awaitState(entry, "given_up");
    assertThat(rig.error(entry)).contains("callback_url: host 'rebinding.example'", "allowed are");
    assertThat(receiver.requests()).isEmpty();
  }

  @Test
  void looksANameUpOnceForAConnectionAndGoesThere() throws Exception {
    AtomicInteger lookUps = new AtomicInteger();
    CallbackUrls urls =
        new CallbackUrls(
            List.of("127.0.0.1/32"),
            Set.of(receiver.port()),
            host ->
                InetAddress.getAllByName(
                    lookUps.getAndIncrement() == 0 ? "127.0.0.1" : "127.0.0.2"));
    node(urls, OutboxRig.QUICK, LIMIT);
    UUID entry = add("http://receiver.example:" + receiver.port() + "/");
    awaitState(entry, "done");
    assertThat(lookUps).hasValue(1);
    assertThat(receiver.requests().get(0).header("host"))
        .isEqualTo("receiver.example:" + receiver.port());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"http://127.0.0.1:%d/", "http://[::ffff:127.0.0.1]:%d/", "http://localhost:%d"})
  void refusesAtConnectWhatWasNeverChecked(String url) throws Exception {
    node(new CallbackUrls(List.of(), Set.of(receiver.port())), OutboxRig.QUICK, LIMIT);
    UUID entry = add(url.formatted(receiver.port()));
    awaitState(entry, "given_up");
    assertThat(rig.attempts(entry)).containsExactly("final|null");
    assertThat(receiver.requests()).isEmpty();
  }

  @Test
  void goesPastTheProxyOfTheEnvironment() throws Exception {
    Receiver proxy = opened(new Receiver());
    System.setProperty("http.proxyHost", "127.0.0.1");
    System.setProperty("http.proxyPort", String.valueOf(proxy.port()));
    System.setProperty("http.nonProxyHosts", "");
    try {
      node(OutboxRig.QUICK, LIMIT);
      awaitState(add(receiver.url()), "done");
    } finally {
      List.of("http.proxyHost", "http.proxyPort", "http.nonProxyHosts")
          .forEach(System::clearProperty);
    }
    assertThat(proxy.requests()).isEmpty();
  }

  @Test
  void talksToNobodyWhoseCertificateItDoesNotKnow(@TempDir Path folder) throws Exception {
    Receiver secure = opened(new Receiver(httpsServer(folder.resolve("keys.p12"))));
    node(OutboxRig.QUICK, LIMIT, secure.port());
    UUID entry = add(secure.url().replace("http:", "https:"));
    awaitState(entry, "given_up");
    assertThat(rig.attempts(entry)).containsOnly("retry|null");
    assertThat(rig.error(entry)).contains("SSL");
    assertThat(secure.requests()).isEmpty();
  }

  private static HttpServer httpsServer(Path keys) throws Exception {
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                "EC",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "san=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
                "-keystore",
                keys.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).as(said).isTrue();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream file = Files.newInputStream(keys)) {
      store.load(file, "changeit".toCharArray());
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    HttpsServer server = HttpsServer.create();
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    return server;
  }

  /** What the server says, whether it goes on for ever, and what comes of it within the limit. */
  static List<Arguments> lies() {
    return List.of(
        Arguments.of("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort", false, "done|200"),
        Arguments.of(
            "HTTP/1.1 409 Conflict\r\ncontent-length: 99999999\r\n\r\n", true, "retry|null"),
        Arguments.of("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n", true, "done|200"),
        Arguments.of("HTTP/1.1 200 OK\r\nx-endless: ", true, "retry|null"),
        Arguments.of("220 smtp.example ESMTP\r\n", false, "retry|null"),
        Arguments.of("", false, "retry|null"));
  }

  @ParameterizedTest
  @MethodSource("lies")
  void endsWhateverTheReceiverSays(String said, boolean dripping, String attempt) throws Exception {
    LyingServer liar = opened(new LyingServer(said, dripping));
    node(OutboxRig.NEXT_HOUR, Duration.ofSeconds(2), liar.port());
    awaitAttempts(add("http://127.0.0.1:" + liar.port()), attempt);
  }

  /** Says its text to everyone, then nothing more, or one byte after the other. */
  private static final class LyingServer implements AutoCloseable {

    private final ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    private final CountDownLatch closed = new CountDownLatch(1);

    LyingServer(String said, boolean dripping) throws IOException {
      Thread thread =
          new Thread(
              () -> {
                while (closed.getCount() > 0) {
                  try (Socket client = socket.accept()) {
                    readRequest(client.getInputStream());
                    OutputStream out = client.getOutputStream();
                    out.write(said.getBytes(StandardCharsets.US_ASCII));
                    while (dripping && !closed.await(50, TimeUnit.MILLISECONDS)) {
                      out.write('x');
                    }
                  } catch (IOException | InterruptedException e) {
                    // the client has had enough, or the test has
                  }
                }
              });
      thread.setDaemon(true);
      thread.start();
    }

    /** To its end: to close a connection with something unread is to reset it. */
    private static void readRequest(InputStream in) throws IOException {
      for (int depth = 0, next = in.read(); next >= 0; next = in.read()) {
        depth += next == '{' ? 1 : next == '}' ? -1 : 0;
        if (next == '}' && depth == 0) {
          return;
        }
      }
    }

    int port() {
      return socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      closed.countDown();
      socket.close();
    }
  }
}
