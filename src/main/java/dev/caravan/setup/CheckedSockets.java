package dev.caravan.setup;

import dev.caravan.address.AllowedHosts;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;

/**
 * Sockets to PostgreSQL servers that a tenant chose. They connect to allowed addresses only, looked
 * at when it is connected to: a name may stand for another one by then. A login takes eight seconds
 * at the most, however its bytes drip; what comes is looked at by {@link ServerMessages}, behind
 * TLS by {@link CheckedTls}. Made by a driver that is told the name of this class.
 */
public final class CheckedSockets extends SocketFactory {

  static final Duration LOGIN = Duration.ofSeconds(8);

  private static final byte[] ASKS_FOR_TLS = HexFormat.of().parseHex("0000000804d2162f");

  private final AllowedHosts hosts;
  private final TenantServers.Memory memory;

  /**
   * @param argument of {@link #argument}
   */
  public CheckedSockets(String argument) {
    String[] parts = argument.split(",", -1);
    memory = TenantServers.memory(parts[0]);
    hosts = new AllowedHosts(List.of(parts).subList(1, parts.length));
  }

  /**
   * What the driver hands on to this class.
   *
   * @param allow what the operator adds; see {@link AllowedHosts}
   */
  static String argument(String tenant, List<String> allow) {
    return allow.isEmpty() ? tenant : tenant + "," + String.join(",", allow);
  }

  @Override
  public Socket createSocket() {
    return new CheckedSocket();
  }

  /** One connection. */
  final class CheckedSocket extends Socket {

    private ServerMessages in;
    private OutputStream out;
    private volatile ServerMessages messages;
    private volatile ScheduledFuture<?> deadline;
    private volatile boolean late;

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
      deadline = TenantServers.CLOCK.schedule(this::closeLate, LOGIN.toSeconds(), TimeUnit.SECONDS);
      waiting(() -> super.connect(endpoint, timeoutMillis));
    }

    @FunctionalInterface
    private interface Wait {
      void run() throws IOException;
    }

    private void waiting(Wait wait) throws IOException {
      HostWaits.using(this);
      try {
        wait.run();
      } catch (IOException e) {
        throw late ? late(e) : e;
      }
    }

    /** No SocketTimeoutException: at that one the driver would try again, without TLS. */
    private static IOException late(IOException closed) {
      return new IOException(
          "The server took longer than %d s to let us in".formatted(LOGIN.toSeconds()), closed);
    }

    private void closeLate() {
      late = true;
      HostWaits.close(this);
    }

    /** The login is over, or the connection. */
    void loggedIn() {
      deadline.cancel(false);
    }

    /** What comes behind TLS. */
    ServerMessages messages(InputStream decrypted) {
      messages = new ServerMessages(decrypted, memory, this::loggedIn);
      return messages;
    }

    @Override
    public synchronized InputStream getInputStream() throws IOException {
      if (in == null) {
        in = messages(new TimedInput(super.getInputStream()));
      }
      return in;
    }

    @Override
    public synchronized OutputStream getOutputStream() throws IOException {
      if (out == null) {
        out = new TimedOutput(super.getOutputStream());
      }
      return out;
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // a close waits for no reader
    public void close() throws IOException {
      if (deadline != null) {
        deadline.cancel(false);
      }
      if (messages != null) {
        messages.release();
      }
      super.close();
    }

    private final class TimedInput extends FilterInputStream {
      TimedInput(InputStream in) {
        super(in);
      }

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        int[] count = new int[1];
        waiting(() -> count[0] = in.read(bytes, offset, length));
        return count[0];
      }
    }

    private final class TimedOutput extends FilterOutputStream {
      TimedOutput(OutputStream out) {
        super(out);
      }

      @Override
      public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        if (Arrays.equals(bytes, offset, offset + length, ASKS_FOR_TLS, 0, ASKS_FOR_TLS.length)) {
          ((ServerMessages) getInputStream()).expectAnswer();
        }
        waiting(() -> out.write(bytes, offset, length));
      }
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
