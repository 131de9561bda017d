package dev.caravan.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import org.junit.jupiter.api.Test;

class CheckedSocketsTest {

  @Test
  void noConnectionReachesAnAddressThatIsNotAllowed() throws Exception {
    InetAddress loopback = InetAddress.getByAddress("127.0.0.1", new byte[] {127, 0, 0, 1});
    try (ServerSocket server = new ServerSocket(0, 50, loopback)) {
      InetSocketAddress here = new InetSocketAddress(loopback, server.getLocalPort());
      for (String allow : new String[] {"10.0.0.1", "example.com", "127.0.0.1:1", "10.0.0.0/8"}) {
        try (Socket socket =
            new CheckedSockets(CheckedSockets.argument("a", List.of(allow))).createSocket()) {
          assertThatThrownBy(() -> socket.connect(here, 1000)).isInstanceOf(IOException.class);
        }
      }
      server.setSoTimeout(1);
      assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class);
      for (String allow :
          new String[] {"127.0.0.0/8", "127.0.0.1", "127.0.0.1:" + server.getLocalPort()}) {
        try (Socket socket =
            new CheckedSockets(CheckedSockets.argument("a", List.of(allow))).createSocket()) {
          socket.connect(here, 1000);
          assertThat(socket.isConnected()).isTrue();
        }
      }
    }
  }
}
