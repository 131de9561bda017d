package dev.caravan.torture;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The network between one node and PostgreSQL; it can be slow, go silent, or break. */
public final class TcpProxy implements AutoCloseable {

  private final ServerSocket listener;
  private final int target;
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final AtomicInteger connections = new AtomicInteger();
  private volatile Duration delay = Duration.ZERO;
  private volatile boolean dark;

  /** One connection through it. */
  private static final class Link {
    private final Socket client;
    private final Socket server;
    private volatile boolean silent;

    Link(Socket client, Socket server, boolean silent) {
      this.client = client;
      this.server = server;
      this.silent = silent;
    }
  }

  /**
   * Listens on a free port of 127.0.0.1.
   *
   * @param target the port there that it forwards to
   */
  public TcpProxy(int target) throws IOException {
    this.target = target;
    listener = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    thread("proxy-accept", this::accept);
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** How many connections there have been. */
  public int connections() {
    return connections.get();
  }

  private static void thread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        connections.incrementAndGet();
        open(client);
      } catch (IOException e) {
        // closed, or PostgreSQL is away: the client is told by its closed socket
      }
    }
  }

  private void open(Socket client) throws IOException {
    try {
      Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
      Link link = new Link(client, server, dark);
      links.add(link);
      thread("proxy-up", () -> pump(link, client, server));
      thread("proxy-down", () -> pump(link, server, client));
    } catch (IOException e) {
      client.close();
      throw e;
    }
  }

  private void pump(Link link, Socket from, Socket to) {
    byte[] buffer = new byte[16_384];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (!delay.isZero()) {
          Thread.sleep(delay.toMillis());
        }
        if (!link.silent) {
          out.write(buffer, 0, n);
        }
      }
    } catch (IOException e) {
      // one side is gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!link.silent) { // of a link that is cut neither side hears that the other has gone
      links.remove(link);
      close(from);
      close(to);
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Every packet takes so much longer from now on. */
  void delay(Duration longer) {
    delay = longer;
  }

  /** Both sides are told that all connections are broken. */
  void reset() throws IOException {
    for (Link link : List.copyOf(links)) {
      if (!link.silent && links.remove(link)) {
        link.client.setSoLinger(true, 0);
        link.server.setSoLinger(true, 0);
        close(link.client);
        close(link.server);
      }
    }
  }

  /**
   * Nothing comes through any more, and nobody is told. When it is over, new connections work;
   * those of now stay silent for ever.
   */
  void blackHole(boolean on) {
    dark = on;
    if (on) {
      links.forEach(link -> link.silent = true);
    }
  }

  /** PostgreSQL finds out, as it would by its keep-alives; the clients do not. */
  void endSilentSessions() {
    links.stream().filter(link -> link.silent).forEach(link -> close(link.server));
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Link link : links) {
      close(link.client);
      close(link.server);
    }
  }
}
