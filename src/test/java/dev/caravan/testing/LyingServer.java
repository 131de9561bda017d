package dev.caravan.testing;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * A PostgreSQL server that lets anybody in, with TLS if asked, and then says what it is told to.
 */
public final class LyingServer implements AutoCloseable {

  private static final int ASKS_FOR_TLS = 80877103;

  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final SSLContext tls;

  /**
   * What the next connections are told.
   *
   * @param endless whether it says the latter again and again
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Speech(byte[] beforeLogin, byte[] afterQuery, boolean endless) {}

  private volatile Speech speech;

  /** Listens on a free port of 127.0.0.1. */
  public LyingServer(SSLContext tls) throws IOException {
    this.tls = tls;
    threads.execute(this::accept);
  }

  /** Where it listens. */
  public int port() {
    return server.getLocalPort();
  }

  /** From now on. */
  public void says(Speech next) {
    speech = next;
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        threads.execute(() -> serve(client));
      }
    } catch (IOException e) {
      // the test is over
    }
  }

  private void serve(Socket accepted) {
    try (Socket plain = accepted) {
      Socket client = plain;
      DataInputStream in = new DataInputStream(client.getInputStream());
      byte[] startup = packet(in);
      if (ByteBuffer.wrap(startup).getInt() == ASKS_FOR_TLS) {
        client.getOutputStream().write('S');
        SSLSocket secured =
            (SSLSocket) tls.getSocketFactory().createSocket(client, null, client.getPort(), true);
        secured.setUseClientMode(false);
        client = secured;
        in = new DataInputStream(client.getInputStream());
        packet(in);
      }
      OutputStream out = client.getOutputStream();
      out.write(speech.beforeLogin());
      out.write(login());
      out.flush();
      in.readByte(); // a query
      do {
        out.write(speech.afterQuery());
      } while (speech.endless());
      out.flush();
      drain(in);
    } catch (IOException e) {
      // the client has ended it
    }
  }

  private static void drain(InputStream in) throws IOException {
    byte[] bytes = new byte[1024];
    while (in.read(bytes) >= 0) {
      // until the client ends
    }
  }

  private static byte[] packet(DataInputStream in) throws IOException {
    return in.readNBytes(in.readInt() - Integer.BYTES);
  }

  /** Lets a client in. */
  public static byte[] login() {
    return all(
        message('R', ByteBuffer.allocate(4).array()),
        message('S', text("server_version", "15.0")),
        message('K', new byte[8]),
        message('Z', new byte[] {'I'}));
  }

  /** One row of one column. */
  public static byte[] answer(String value) {
    byte[] content = value.getBytes(StandardCharsets.UTF_8);
    byte[] field =
        all(text("a"), new byte[6], number(25), new byte[] {-1, -1}, number(-1), new byte[2]);
    return all(
        message('1', new byte[0]),
        message('2', new byte[0]),
        message('T', all(new byte[] {0, 1}, field)),
        message('D', all(new byte[] {0, 1}, number(content.length), content)),
        message('C', text("SELECT 1")),
        message('Z', new byte[] {'I'}));
  }

  /** A message of the protocol, with its true length. */
  public static byte[] message(char kind, byte[] body) {
    return all(new byte[] {(byte) kind}, number(body.length + Integer.BYTES), body);
  }

  /** Four bytes, the highest first. */
  public static byte[] number(int value) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
  }

  /** Texts that end with a zero byte each. */
  public static byte[] text(String... texts) {
    return (String.join("\0", texts) + "\0").getBytes(StandardCharsets.UTF_8);
  }

  /** One after the other. */
  public static byte[] all(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** A new key that nobody trusts; it is kept in the folder. */
  public static SSLContext selfSigned(Path folder) throws Exception {
    Path store = folder.resolve("self-signed.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    if (keytool.waitFor() != 0) {
      throw new IOException(
          new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    }
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "changeit".toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  @Override
  public void close() throws IOException {
    server.close();
    threads.shutdownNow();
  }
}
