package dev.caravan.address;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.List;
import javax.net.SocketFactory;

/**
 * Sockets that connect to allowed addresses only. The address is looked at when it is connected to:
 * a name may stand for another one by then. Made by a driver that is told the name of this class.
 */
public final class CheckedSockets extends SocketFactory {

  private final AllowedHosts hosts;

  /**
   * @param allow what the operator adds, with commas between; see {@link AllowedHosts}
   */
  public CheckedSockets(String allow) {
    hosts =
        new AllowedHosts(
            allow.isEmpty() ? List.of() : Arrays.stream(allow.split(",", -1)).toList());
  }

  @Override
  public Socket createSocket() {
    return new CheckedSocket();
  }

  private final class CheckedSocket extends Socket {

    @Override
    public void connect(SocketAddress endpoint) throws IOException {
      connect(endpoint, 0);
    }

    @Override
    public void connect(SocketAddress endpoint, int timeoutMillis) throws IOException {
      if (!(endpoint instanceof InetSocketAddress address) || address.isUnresolved()) {
        throw new IOException("The host has no address");
      }
      String host = address.getHostString();
      if (!hosts.trusts(host, address.getPort())
          && !hosts.trusts(host)
          && !hosts.allows(address.getAddress())) {
        throw new IOException("The host is not at an address that is allowed");
      }
      super.connect(endpoint, timeoutMillis);
    }
  }

  @Override
  public Socket createSocket(String host, int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(InetAddress host, int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException();
  }
}
