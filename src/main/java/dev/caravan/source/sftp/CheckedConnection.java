package dev.caravan.source.sftp;

import com.jcraft.jsch.Proxy;
import com.jcraft.jsch.SocketFactory;
import dev.caravan.address.AllowedHosts;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * The connection of one session to a server that a tenant named. The name is looked up when it is
 * connected to, and the address that was checked is the one that is connected to.
 */
final class CheckedConnection implements Proxy {

  private final AllowedHosts hosts;
  private Socket socket;

  CheckedConnection(AllowedHosts hosts) {
    this.hosts = hosts;
  }

  @Override
  public void connect(SocketFactory factory, String host, int port, int timeoutMillis)
      throws IOException {
    IOException last = null;
    for (InetAddress address : hosts.addresses(host, port)) {
      Socket next = new Socket();
      try {
        next.connect(new InetSocketAddress(address, port), timeoutMillis);
        socket = next;
        return;
      } catch (IOException e) {
        next.close();
        last = e;
      }
    }
    throw last;
  }

  @Override
  public InputStream getInputStream() {
    return stream(Socket::getInputStream);
  }

  @Override
  public OutputStream getOutputStream() {
    return stream(Socket::getOutputStream);
  }

  @FunctionalInterface
  private interface Stream<T> {
    T of(Socket socket) throws IOException;
  }

  private <T> T stream(Stream<T> stream) {
    try {
      return stream.of(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it is closed: the caller fails as it would later
    }
  }

  @Override
  public Socket getSocket() {
    return socket;
  }

  @Override
  public void close() {
    try {
      if (socket != null) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
