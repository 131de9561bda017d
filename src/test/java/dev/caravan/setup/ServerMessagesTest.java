package dev.caravan.setup;

import static dev.caravan.testing.LyingServer.all;
import static dev.caravan.testing.LyingServer.message;
import static dev.caravan.testing.LyingServer.number;
import static dev.caravan.testing.LyingServer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.management.ThreadMXBean;
import dev.caravan.testing.LyingServer;
import dev.caravan.testing.LyingServer.Speech;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server of a tenant's choice cannot fill the memory of the node with what it says it sends. */
class ServerMessagesTest {

  /** Every kind that the protocol has, and one that it has not. */
  private static final String KINDS = "RKSNEAZCTtDdGHWcIns123Vvx";

  private static final int[] LENGTHS = {Integer.MAX_VALUE, Integer.MIN_VALUE, -1, 0, 3};

  /** Behind TLS the same checks see the bytes: that they see those of each kind is enough. */
  private static final int[] ONE_LENGTH = {Integer.MAX_VALUE};

  private static final byte[] NOTHING = new byte[0];
  private static final long MAX_ALLOCATED = 16L << 20;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir static Path folder;
  private static LyingServer server;

  @BeforeAll
  static void start() throws Exception {
    server = new LyingServer(LyingServer.selfSigned(folder));
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  private static Connection connect(boolean tls) throws SQLException {
    Properties properties = new Properties();
    properties.putAll(Pools.driver("a", List.of("127.0.0.1")));
    properties.setProperty("user", "u");
    properties.setProperty("password", "p");
    properties.setProperty("assumeMinServerVersion", "15");
    properties.setProperty("sslmode", tls ? "require" : "disable");
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + server.port() + "/d", properties);
  }

  private static String query(boolean tls) throws SQLException {
    try (Connection connection = connect(tls);
        ResultSet row = connection.createStatement().executeQuery("SELECT 1")) {
      row.next();
      return row.getString(1);
    }
  }

  private static String lie(boolean tls, Speech speech) {
    server.says(speech);
    long before = THREADS.getCurrentThreadAllocatedBytes();
    Throwable failure = catchThrowable(() -> query(tls));
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated).as("bytes allocated").isLessThan(MAX_ALLOCATED);
    StringBuilder told = new StringBuilder();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      told.append(cause).append('\n');
    }
    return told.toString();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anHonestServerIsHeard(boolean tls) throws SQLException {
    server.says(new Speech(NOTHING, LyingServer.answer("hello"), false));
    assertThat(query(tls)).isEqualTo("hello");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void noMessageMayHaveAnAbsurdLength(boolean tls) {
    SoftAssertions all = new SoftAssertions();
    for (int i = 0; i < KINDS.length(); i++) {
      char kind = KINDS.charAt(i);
      for (int length : tls ? ONE_LENGTH : LENGTHS) {
        byte[] lie = all(new byte[] {(byte) kind}, number(length), new byte[1000]);
        String what = kind + " " + length;
        all.assertThat(lie(tls, new Speech(lie, NOTHING, false)))
            .as(what + " before the login")
            .contains("the connection is ended");
        all.assertThat(lie(tls, new Speech(NOTHING, lie, false)))
            .as(what + " after it")
            .contains("the connection is ended");
      }
    }
    all.assertAll();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void noPartOfAMessageGoesBeyondIt(boolean tls) {
    byte[] header = {'N', 127, -1, -1, -1};
    List<byte[]> lies = new ArrayList<>();
    lies.add(message('D', all(new byte[] {0, 1}, number(Integer.MAX_VALUE), new byte[100])));
    lies.add(message('D', all(new byte[] {0, 2}, number(4), new byte[4])));
    lies.add(message('D', all(new byte[] {0, 1}, number(-2), new byte[4])));
    lies.add(message('D', all(new byte[] {0, 1}, number(1), new byte[4])));
    lies.add(message('D', all(new byte[] {-1, -1}, new byte[100])));
    lies.add(all(message('S', "no end".getBytes(java.nio.charset.StandardCharsets.UTF_8)), header));
    lies.add(all(message('S', text("one", "two", "three")), header));
    lies.add(all(message('A', all(number(1), text("one"))), header));
    lies.add(all(message('C', "no end".getBytes(java.nio.charset.StandardCharsets.UTF_8)), header));
    lies.add(all(message('T', all(new byte[] {0, 9}, text("a"), new byte[18])), header));
    lies.add(all(message('t', all(new byte[] {0, 9}, new byte[8])), header));
    lies.add(all(message('G', all(new byte[] {0, 0, 9}, new byte[8])), header));
    lies.add(all(message('R', all(number(10), text("SCRAM-SHA-256"))), header));
    lies.add(message('R', number(7)));
    SoftAssertions all = new SoftAssertions();
    for (int i = 0; i < lies.size(); i++) {
      all.assertThat(lie(tls, new Speech(lies.get(i), NOTHING, false)))
          .as("lie %d", i)
          .contains("the connection is ended");
    }
    all.assertAll();
  }

  @ParameterizedTest
  @ValueSource(chars = {'D', 'N', 'S', 'A', 'd'})
  void whatTheDriverWouldKeepHasALimit(char kind) {
    byte[] one =
        switch (kind) {
          case 'D' -> message('D', new byte[2]);
          case 'N' -> message('N', text("SNOTICE", "C00000", "Mx", ""));
          case 'S' -> message('S', text("name", "value"));
          case 'A' -> message('A', all(number(1), text("name", "value")));
          default -> message('d', new byte[8]);
        };
    server.says(new Speech(NOTHING, one, true));
    TenantServers.Memory memory = TenantServers.memory("a");
    Throwable failure = catchThrowable(() -> query(false));
    assertThat(failure).isInstanceOf(SQLException.class);
    assertThat(memory.take(memory.most())).as("all is given back").isTrue();
    memory.give(memory.most());
  }

  @Test
  void aServerThatFallsSilentIsWaitedForUntilTheDeadlineAndItsThreadIsFree() throws Exception {
    server.says(new Speech(NOTHING, NOTHING, false));
    HostWaits waits = new HostWaits(1, 2, Duration.ofMillis(300));
    assertThat(catchThrowable(() -> waits.run("a", () -> query(false))))
        .isInstanceOf(HostWaits.Refused.class)
        .hasMessageContaining("silent");
    assertThat(Thread.interrupted()).isFalse();
    server.says(new Speech(NOTHING, LyingServer.answer("hello"), false));
    assertThat(waits.<String>run("a", () -> query(false))).isEqualTo("hello");
  }

  @Test
  void aTenantAndAllTenantsHaveAShareOfThreadsThatWait() throws Exception {
    HostWaits waits = new HostWaits(1, 2, Duration.ofSeconds(30));
    waits.run(
        "a",
        () -> {
          assertThat(catchThrowable(() -> waits.run("a", () -> "")))
              .hasMessageContaining("1 calls of the tenant");
          return waits.run(
              "b",
              () -> {
                assertThat(catchThrowable(() -> waits.run("c", () -> "")))
                    .hasMessageContaining("Too many calls");
                return "";
              });
        });
    assertThat(waits.<String>run("c", () -> "free")).isEqualTo("free");
  }
}
