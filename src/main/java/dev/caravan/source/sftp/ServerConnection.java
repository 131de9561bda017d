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
import java.net.SocketException;
import java.util.List;
import java.util.Optional;

/**
 * The connection of one session to its server. The name is looked up when it is connected to; of a
 * server that a tenant named, the address that was checked is the one that is connected to. It can
 * be cut at any time, also while another thread connects, logs in or reads: that one fails then.
 */
final class ServerConnection implements Proxy {

  private final Optional<AllowedHosts> hosts;

  /** Guarded by the lock, for JSch holds this object's own while it connects. */
  private Socket socket;

  private boolean cut;
  private final Object lock = new Object();

  /**
   * Not connected yet.
   *
   * @param hosts where the server may be; empty for anywhere
   */
  ServerConnection(Optional<AllowedHosts> hosts) {
    this.hosts = hosts;
  }

  @Override
  public void connect(SocketFactory factory, String host, int port, int timeoutMillis)
      throws IOException {
    IOException last = null;
    for (InetAddress address : addresses(host, port)) {
      Socket next = next();
      try {
        next.connect(new InetSocketAddress(address, port), timeoutMillis);
        return;
      } catch (IOException e) {
        next.close();
        last = e;
      }
    }
    throw last;
  }

  private List<InetAddress> addresses(String host, int port) throws IOException {
    return hosts.isPresent()
        ? hosts.get().addresses(host, port)
        : List.of(InetAddress.getAllByName(host));
  }

  private Socket next() throws IOException {
    synchronized (lock) {
      if (cut) {
        throw new SocketException("the connection was cut");
      }
      socket = new Socket();
      return socket;
    }
  }

  @FunctionalInterface
  private interface Stream<T> {
    T of(Socket socket) throws IOException;
  }

  private <T> T stream(Stream<T> stream) {
    try {
      return stream.of(getSocket());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it is closed: the caller fails as it would later
    }
  }

  @Override
  public InputStream getInputStream() {
    return stream(Socket::getInputStream);
  }

  @Override
  public OutputStream getOutputStream() {
    return stream(Socket::getOutputStream);
  }

  @Override
  public Socket getSocket() {
    synchronized (lock) {
      return socket;
    }
  }

  /** Closes it for good, from any thread. */
  void cut() {
    synchronized (lock) {
      cut = true;
      close();
    }
  }

  @Override
  public void close() {
    synchronized (lock) {
      try {
        if (socket != null) {
          socket.close();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
