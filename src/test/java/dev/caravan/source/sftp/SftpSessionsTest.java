package dev.caravan.source.sftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.address.AllowedHosts;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.testing.UnrulySftpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.session.SessionHeartbeatController.HeartbeatType;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.session.ServerSession;
import org.apache.sshd.sftp.server.Handle;
import org.apache.sshd.sftp.server.SftpEventListener;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class SftpSessionsTest {

  private static final Duration SILENCE = Duration.ofMillis(250);
  private static final String LATE = "the server was not done after 1 s";

  @TempDir Path folder;
  private final CamelContext context = new DefaultCamelContext();
  private SftpSessions sessions;

  @BeforeEach
  void start() {
    SftpLogin.secureDefaults();
    context.start();
    sessions = new SftpSessions(context, SILENCE);
  }

  @AfterEach
  void stop() {
    sessions.close();
    context.stop();
  }

  private SftpSource source(String host, int port, String hostKey, Optional<AllowedHosts> hosts) {
    String knownHosts = "[%s]:%d %s%n".formatted(host, port, hostKey);
    SftpLogin login =
        new SftpLogin(
            host,
            port,
            "exporter",
            Optional.of(UnrulySftpServer.PASSWORD),
            Optional.empty(),
            Optional.empty(),
            knownHosts,
            hosts);
    return new SftpSource(sessions, login, "/export", false, false, Clock.systemUTC());
  }

  private SftpSource source(UnrulySftpServer server, String host, Optional<AllowedHosts> hosts) {
    return source(host, Integer.parseInt(server.login().get("port")), server.hostKey(), hosts);
  }

  /** Sends one byte after the other to who connects, until that one is gone. */
  private static void drip(ServerSocket listening) {
    try (Socket client = listening.accept()) {
      client.setSoTimeout((int) SILENCE.dividedBy(5).toMillis());
      while (true) {
        client.getOutputStream().write('x');
        if (hasEnded(client)) {
          return;
        }
      }
    } catch (IOException e) {
      // the other side is gone, which is waited for here
    }
  }

  private static boolean hasEnded(Socket client) throws IOException {
    try {
      return client.getInputStream().read() < 0;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    }
  }

  @Test
  @Timeout(20)
  void aLoginEndsInTimeWhenTheServerIsNeverSilent() throws Exception {
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Future<Void> gone = CompletableFuture.runAsync(() -> drip(listening));
      SftpSource source =
          source("127.0.0.1", listening.getLocalPort(), "ssh-ed25519 AAAA", Optional.empty());
      assertThatThrownBy(source::list)
          .isInstanceOfSatisfying(
              CaravanException.class,
              e -> assertThat(e.code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE))
          .hasMessageContaining(LATE);
      gone.get(5, TimeUnit.SECONDS);
    }
  }

  @Test
  @Timeout(20)
  void aListingEndsInTimeWhenTheServerIsNeverSilent() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    SftpEventListener never =
        new SftpEventListener() {
          @Override
          public void opening(ServerSession session, String remoteHandle, Handle localHandle) {
            try {
              end.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
        };
    try (UnrulySftpServer server =
        UnrulySftpServer.start(
            folder, KeyPairProvider.ECDSA_SHA2_NISTP256, 256, ssh -> drips(ssh, never))) {
      assertThatThrownBy(source(server, "127.0.0.1", Optional.empty())::list)
          .isInstanceOf(CaravanException.class)
          .hasMessageContaining(LATE);
    } finally {
      end.countDown();
    }
  }

  private static void drips(SshServer server, SftpEventListener listener) {
    server.setSessionHeartbeat(HeartbeatType.IGNORE, SILENCE.dividedBy(5));
    ((SftpSubsystemFactory) server.getSubsystemFactories().get(0)).addSftpEventListener(listener);
  }

  @Test
  void looksAtTheAddressOfATenantsServerEachTimeItConnects() throws Exception {
    AtomicReference<InetAddress> now = new AtomicReference<>(InetAddress.getLoopbackAddress());
    AllowedHosts hosts =
        new AllowedHosts(List.of("127.0.0.1/32"), host -> new InetAddress[] {now.get()});
    try (UnrulySftpServer server = UnrulySftpServer.start(folder)) {
      server.put("a.csv", "id\n1\n");
      SftpSource source = source(server, "files.example", Optional.of(hosts));
      assertThat(source.list()).hasSize(1);
      now.set(InetAddress.getByAddress(new byte[] {127, 0, 0, 2}));
      var open = source.borrow(); // the session of before
      assertThatThrownBy(source::list)
          .isInstanceOf(CaravanException.class)
          .hasMessageContaining("not, or not only, at public addresses");
      source.giveBack(open);
      assertThat(source.list()).hasSize(1);
    }
  }
}
