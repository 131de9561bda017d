package dev.caravan.source.tableau;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.LoadResult;
import dev.caravan.testing.CamelHeaders;
import dev.caravan.testing.ExchangeRecorder;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.HeaderProxy;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.apache.camel.Exchange;
import org.apache.camel.spi.CamelEvent.ExchangeSendingEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The network at its worst. */
@Timeout(60)
class TableauNetworkTest {

  private static final Flights FLIGHTS = new Flights(42, 20, false);

  private static CaravanException failure(
      Map<String, String> settings, com.sun.net.httpserver.HttpHandler answer) throws Exception {
    try (TableauServer tableau = TableauServer.start(FLIGHTS);
        TableauRoutes routes = new TableauRoutes(tableau.url(), settings)) {
      tableau.nextQuery(answer);
      CaravanException failure = routes.failure();
      assertThat(routes.rows()).isZero();
      assertThat(tableau.openSessions()).isZero();
      return failure;
    }
  }

  private static void writeRows(OutputStream out, int rows) throws IOException {
    out.write("{\"data\":[".getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < rows; i++) {
      out.write("{\"Sciper\":\"%d\"},".formatted(i).getBytes(StandardCharsets.UTF_8));
    }
    out.flush();
  }

  @Test
  void endsAnAnswerThatIsTooLarge() throws Exception {
    CaravanException failure =
        failure(
            Map.of("max-bytes", "100000"),
            exchange -> {
              exchange.sendResponseHeaders(200, 0);
              try (OutputStream out = exchange.getResponseBody()) {
                writeRows(out, 1_000_000_000); // more than anybody would read to the end
              }
            });
    assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_TOO_LARGE);
    assertThat(failure).hasMessageContaining("100,000 bytes");
  }

  @Test
  void countsBytesBehindTheirCompression() throws Exception {
    CaravanException failure =
        failure(
            Map.of("max-bytes", "1000000"),
            exchange -> {
              exchange.getResponseHeaders().add("Content-Encoding", "gzip");
              exchange.sendResponseHeaders(200, 0);
              try (OutputStream out =
                  new BufferedOutputStream(new GZIPOutputStream(exchange.getResponseBody()))) {
                out.write("{\"data\":[{\"Sciper\":\"".getBytes(StandardCharsets.UTF_8));
                for (int i = 0; i < 50_000_000; i++) {
                  out.write(' ');
                }
              }
            });
    assertThat(failure.code()).as(failure.getMessage()).isEqualTo(FailureCode.SOURCE_TOO_LARGE);
  }

  @Test
  void takesWhatItAskedForAndDecompressesItOnce() throws Exception {
    byte[] plain = "{\"data\":[{\"Sciper\":".getBytes(StandardCharsets.UTF_8);
    for (String encoding : List.of("gzip", "x-gzip")) {
      CaravanException cutOff = // the words are those of the parser, so it saw plain JSON
          failure(
              Map.of(),
              exchange -> {
                assertThat(exchange.getRequestHeaders().getFirst("Accept-Encoding"))
                    .contains("gzip")
                    .doesNotContain("xz", "bzip2", "lz");
                exchange.getResponseHeaders().add("Content-Encoding", encoding);
                exchange.sendResponseHeaders(200, 0);
                try (OutputStream out = new GZIPOutputStream(exchange.getResponseBody())) {
                  out.write(plain);
                }
              });
      assertThat(cutOff.code()).as(cutOff.getMessage()).isEqualTo(FailureCode.SOURCE_INCOMPLETE);
    }
    CaravanException refused =
        failure(
            Map.of(),
            exchange -> {
              exchange.getResponseHeaders().add("Content-Encoding", "xz");
              TableauServer.answer(exchange, 200, "{\"data\":[]}");
            });
    assertThat(refused).hasMessageContaining("Unsupported Content-Encoding: xz");
  }

  @Test
  void endsAnAnswerThatDripsLongerThanTheDeadline() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    try {
      CaravanException failure =
          failure(
              Map.of("deadline-seconds", "2", "read-timeout", "20000"),
              exchange -> {
                exchange.sendResponseHeaders(200, 0);
                drip(exchange, end);
              });
      assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE);
      assertThat(failure).hasMessageContaining("not complete after 2 s");
    } finally {
      end.countDown();
    }
  }

  private static void drip(HttpExchange exchange, CountDownLatch end) throws IOException {
    try (OutputStream out = exchange.getResponseBody()) {
      writeRows(out, 1);
      while (!end.await(200, TimeUnit.MILLISECONDS)) {
        out.write(' ');
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void endsAnAnswerThatStalls() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    try {
      CaravanException failure =
          failure(
              Map.of("read-timeout", "1000"),
              exchange -> {
                exchange.sendResponseHeaders(200, 0);
                OutputStream out = exchange.getResponseBody();
                writeRows(out, 1);
                awaitQuietly(end);
              });
      assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE);
      assertThat(failure).hasMessageContaining("stalled after");
      CaravanException silent =
          failure(Map.of("read-timeout", "1000"), exchange -> awaitQuietly(end));
      assertThat(silent.code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE);
      assertThat(silent).hasMessageContaining("no answer within the timeout");
    } finally {
      end.countDown();
    }
  }

  private static void awaitQuietly(CountDownLatch end) {
    try {
      end.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void doesNotTakeAnAnswerThatIsShorterThanAnnounced() throws Exception {
    CaravanException failure =
        failure(
            Map.of(),
            exchange -> {
              exchange.sendResponseHeaders(200, 1_000_000);
              writeRows(exchange.getResponseBody(), 2); // and hangs up
            });
    assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_INCOMPLETE);
    assertThat(failure.code().retryable()).isTrue();
  }

  @Test
  void sendsNoSecretWhereARedirectPoints() throws Exception {
    try (TableauServer elsewhere = TableauServer.start(FLIGHTS)) {
      for (int status : List.of(301, 302, 307, 308)) {
        CaravanException failure =
            failure(
                Map.of(),
                exchange -> {
                  exchange
                      .getResponseHeaders()
                      .add("Location", elsewhere.url() + TableauServer.QUERY);
                  TableauServer.answer(exchange, status, "");
                });
        assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_REFUSED);
      }
      assertThat(elsewhere.calls).isEmpty();
    }
  }

  @Test
  void headersOfItsAnswersSteerNothing() throws Exception {
    try (TableauServer tableau = TableauServer.start(FLIGHTS);
        HeaderProxy network = new HeaderProxy(tableau.port());
        TableauRoutes routes = new TableauRoutes(network.url(), Map.of())) {
      routes.sync();
      ExchangeRecorder recorder = ExchangeRecorder.in(routes.context(), ExchangeSendingEvent.class);
      LoadResult again = routes.sync();
      Set<String> plain = recorder.names();
      assertThat(plain).contains(Exchange.FILE_NAME);
      for (List<String> names :
          CamelHeaders.inGroups(80)) { // an answer of more than 100 is refused
        network.inject(names);
        LoadResult result = routes.sync();
        assertThat(result.unchanged()).isEqualTo(again.unchanged());
        assertThat(recorder.names()).isEqualTo(plain);
      }
      assertThat(routes.rows()).isEqualTo(FLIGHTS.count());
      network.inject(List.of(Exchange.HTTP_RESPONSE_CODE));
      tableau.nextError("400802", "no");
      assertThat(routes.failure().code()).isEqualTo(FailureCode.SOURCE_REFUSED);
    }
  }

  @Test
  void saysWhyTheServerCannotBeReached() throws Exception {
    String closed = "http://127.0.0.1:" + FreePort.find();
    assertThat(unreachable(closed)).hasMessageContaining("cannot be reached");
    assertThat(unreachable("https://tableau.invalid")).hasMessageContaining("no such host");
    try (ServerSocket hangsUp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread server = new Thread(() -> hangUp(hangsUp));
      server.start();
      assertThat(unreachable("http://127.0.0.1:" + hangsUp.getLocalPort()))
          .hasMessageContaining("cannot be reached");
    }
  }

  private static void hangUp(ServerSocket server) {
    try {
      while (!server.isClosed()) {
        Socket socket = server.accept();
        socket.close();
      }
    } catch (IOException e) {
      // the test is over
    }
  }

  private static Exception unreachable(String url) throws Exception {
    try (TableauRoutes routes = new TableauRoutes(url, Map.of())) {
      assertThat(routes.failure().code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE);
      return routes.send(TableauRoutes.CHECK, Map.of("year", 2025)).getException();
    }
  }

  @Test
  void tellsACertificateThatNobodyVouchesFor(@TempDir Path folder) throws Exception {
    HttpsServer https =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    https.setHttpsConfigurator(new HttpsConfigurator(selfSigned(folder)));
    try (TableauServer tableau = TableauServer.start(https, FLIGHTS);
        TableauRoutes routes = new TableauRoutes("https://localhost:" + tableau.port(), Map.of())) {
      CaravanException failure = routes.failure();
      assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_UNTRUSTED);
      assertThat(failure).hasMessageContaining("Nothing was sent");
      assertThat(tableau.calls).isEmpty();
    }
  }

  private static SSLContext selfSigned(Path folder) throws Exception {
    Path store = folder.resolve("self-signed.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "changeit".toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  @Test
  void leavesAServerAloneThatFailsAllTheTime() throws Exception {
    try (TableauServer tableau = TableauServer.start(FLIGHTS);
        TableauRoutes routes =
            new TableauRoutes(tableau.url(), Map.of("circuit-open-seconds", "2"))) {
      for (int i = 0; i < 5; i++) {
        tableau.nextError("503800", "down");
        routes.failure();
      }
      CaravanException spared = routes.failure();
      assertThat(spared.code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE);
      assertThat(spared).hasMessageContaining("left alone for a while");
      assertThat(tableau.count(TableauServer.QUERY)).isEqualTo(5);
      assertThat(tableau.openSessions()).isZero();
      await()
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(300))
          .ignoreExceptions()
          .untilAsserted(() -> assertThat(routes.sync().read()).isEqualTo(20));
    }
  }
}
