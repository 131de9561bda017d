package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that send a byte now and then: all are cut off after 30 s, and disturb nobody. */
@Tag("torture")
class SlowRequestsTest {

  private static final int CLIENTS = 200;

  @Test
  void slowClientsAreCutOffAndOthersDoNotNotice(@TempDir Path folder) throws Exception {
    try (TestCaravan caravan = TestCaravan.start(TestDatabase.create(), folder)) {
      Api admin = caravan.as("default", Role.ADMIN);
      String login = "Authorization: " + admin.headers().get("Authorization") + "\r\n";
      String post =
          "POST /api/v1/keys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + login;
      List<String> begins =
          List.of(
              "",
              "GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\nX-Slow: ",
              post + "Content-Length: 100000\r\n\r\n{",
              post + "Transfer-Encoding: chunked\r\n\r\n5\r\n");
      List<Socket> slow = new ArrayList<>();
      Instant begin = Instant.now();
      for (int i = 0; i < CLIENTS; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), admin.base().getPort());
        slow.add(socket);
        socket.setSoTimeout(1);
        drip(socket, begins.get(i % begins.size()));
      }
      List<Duration> times = new ArrayList<>();
      await()
          .atMost(Duration.ofSeconds(40))
          .pollInterval(Duration.ofSeconds(1))
          .until(
              () -> {
                slow.removeIf(socket -> isClosed(socket));
                Instant asked = Instant.now();
                assertThat(admin.get("/api/v1/jobs").statusCode()).isEqualTo(200);
                times.add(Duration.between(asked, Instant.now()));
                return slow.isEmpty();
              });
      assertThat(Duration.between(begin, Instant.now()).toSeconds()).isBetween(28L, 36L);
      assertThat(times).allMatch(time -> time.toMillis() < 1000);
    }
  }

  private static void drip(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static boolean isClosed(Socket socket) {
    try {
      drip(socket, "x");
      return socket.getInputStream().read() < 0;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }
}
