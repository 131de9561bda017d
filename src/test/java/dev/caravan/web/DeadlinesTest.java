package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server that waits 300 ms for a head, and takes twice as long for an answer. */
class DeadlinesTest {

  private static final Duration LIMIT = Duration.ofMillis(300);
  private static final String HEAD = "GET / HTTP/1.1\r\nHost: x\r\n";

  private final Vertx vertx = Vertx.vertx();
  private Socket socket;

  @BeforeEach
  void connect() throws IOException {
    Deadlines deadlines = new Deadlines(vertx, LIMIT);
    HttpServer server =
        vertx
            .createHttpServer(new HttpServerOptions().setHttp2ClearTextEnabled(false))
            .connectionHandler(deadlines::connected)
            .requestHandler(
                request -> {
                  deadlines.requested(request);
                  vertx.setTimer(2 * LIMIT.toMillis(), late -> request.response().end("done"));
                })
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
    socket = new Socket(InetAddress.getLoopbackAddress(), server.actualPort());
    socket.setSoTimeout(100);
  }

  @AfterEach
  void stop() throws IOException {
    socket.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private void write(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private String answer() throws IOException {
    socket.setSoTimeout(10_000);
    byte[] bytes = new byte[1000];
    int count = socket.getInputStream().read(bytes);
    return count < 0 ? "" : new String(bytes, 0, count, StandardCharsets.US_ASCII);
  }

  @Test
  void aHeadThatDripsIsCutOff() throws IOException {
    Instant begin = Instant.now();
    boolean open = true;
    while (open && Duration.between(begin, Instant.now()).toSeconds() < 10) {
      try {
        write("x");
        open = socket.getInputStream().read() >= 0;
      } catch (java.net.SocketTimeoutException e) {
        // no answer yet: the next byte
      } catch (IOException e) {
        open = false;
      }
    }
    assertThat(open).isFalse();
    assertThat(Duration.between(begin, Instant.now())).isBetween(LIMIT, LIMIT.multipliedBy(10));
  }

  @Test
  void anAnswerMayTakeItsTimeAndAnIdleConnectionMayNot() throws IOException {
    write(HEAD + "\r\n");
    assertThat(answer()).startsWith("HTTP/1.1 200").endsWith("done");
    write(HEAD + "\r\n");
    assertThat(answer()).as("the same connection again").endsWith("done");
    assertThat(answer()).as("nothing more was asked").isEmpty();
  }
}
