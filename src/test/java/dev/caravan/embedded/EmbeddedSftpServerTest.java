package dev.caravan.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.SftpException;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddedSftpServerTest {

  private static final String USER = "caravan";
  private static final String PASSWORD = "pässword";

  @TempDir private Path directory;

  private Path root;
  private Path hostKeyFile;
  private EmbeddedSftpServer server;

  @BeforeEach
  void start() throws IOException {
    root = Files.createDirectory(directory.resolve("root"));
    hostKeyFile = directory.resolve("keys/host.key");
    Files.writeString(root.resolve("orders.csv"), "id\n1\n");
    Files.writeString(directory.resolve("secret.txt"), "secret");
    server = startServer(0);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private EmbeddedSftpServer startServer(int port) {
    return EmbeddedSftpServer.start(root, hostKeyFile, port, USER, PASSWORD);
  }

  @Test
  void servesItsDirectoryAsTheRoot() throws Exception {
    try (var client = new Client()) {
      assertThat(client.sftp.pwd()).isEqualTo("/");
      assertThat(client.names("/")).containsExactly("orders.csv");
      assertThat(client.read("/orders.csv")).isEqualTo("id\n1\n");
    }
  }

  @Test
  void letsItsUserWriteRenameAndDelete() throws Exception {
    try (var client = new Client()) {
      client.sftp.mkdir("done");
      client.write("new.csv", "x");
      client.sftp.rename("new.csv", "done/new.csv");
      assertThat(root.resolve("done/new.csv")).hasContent("x");
      client.sftp.rm("done/new.csv");
      assertThat(client.names("done")).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"caravan,wrong", "root,pässword", "caravan,''"})
  void refusesAnotherUserOrPassword(String username, String password) throws Exception {
    assertThatThrownBy(() -> session(username, password).connect())
        .isInstanceOf(JSchException.class)
        .hasMessageContaining("Auth fail");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../secret.txt", "/../secret.txt", "orders.csv/../../secret.txt"})
  void hasNothingAboveItsRoot(String path) throws Exception {
    try (var client = new Client()) {
      assertThatThrownBy(() -> client.read(path)).isInstanceOf(SftpException.class);
    }
  }

  @Test
  void followsNoLinkOutOfItsRoot() throws Exception {
    Files.createSymbolicLink(root.resolve("file"), directory.resolve("secret.txt"));
    Files.createSymbolicLink(root.resolve("relative"), Path.of("../secret.txt"));
    Files.createSymbolicLink(root.resolve("folder"), directory);
    Files.createSymbolicLink(root.resolve("dangling"), directory.resolve("made-by-a-client"));
    try (var client = new Client()) {
      for (String path :
          List.of("file", "relative", "folder/secret.txt", "folder/root/../secret.txt")) {
        assertThatThrownBy(() -> client.read(path)).as(path).isInstanceOf(SftpException.class);
        assertThatThrownBy(() -> client.sftp.stat(path)).as(path).isInstanceOf(SftpException.class);
      }
      assertThatThrownBy(() -> client.names("folder")).isInstanceOf(SftpException.class);
      assertThatThrownBy(() -> client.write("dangling", "x")).isInstanceOf(SftpException.class);
      assertThatThrownBy(() -> client.write("folder/new", "x")).isInstanceOf(SftpException.class);
      assertThatThrownBy(() -> client.sftp.rename("orders.csv", "folder/orders.csv"))
          .isInstanceOf(SftpException.class);
      assertThat(client.names("/")).containsExactly("orders.csv");
    }
    assertThat(directory.resolve("made-by-a-client")).doesNotExist();
    assertThat(directory.resolve("new")).doesNotExist();
    assertThat(root.resolve("orders.csv")).exists();
  }

  @Test
  void followsALinkThatStaysInside() throws Exception {
    Files.createSymbolicLink(root.resolve("latest.csv"), Path.of("orders.csv"));
    try (var client = new Client()) {
      assertThat(client.names("/")).containsExactlyInAnyOrder("latest.csv", "orders.csv");
      assertThat(client.read("latest.csv")).isEqualTo("id\n1\n");
    }
  }

  @Test
  void listsFilesOfEveryTimeAndNothingThatCannotBeRead() throws Exception {
    for (String time : List.of("1901-01-01", "1969-12-31", "1970-01-01", "2050-01-01")) {
      Files.setLastModifiedTime(
          Files.createFile(root.resolve(time)), FileTime.from(Instant.parse(time + "T00:00:00Z")));
    }
    String pipe = root.resolve("pipe").toString();
    assertThat(new ProcessBuilder("mkfifo", pipe).start().waitFor()).isZero();
    try (var client = new Client()) {
      assertThat(client.names("/"))
          .containsExactlyInAnyOrder(
              "orders.csv", "1901-01-01", "1969-12-31", "1970-01-01", "2050-01-01");
      assertThat(client.read("2050-01-01")).isEmpty();
      assertThatThrownBy(() -> client.read("pipe")).isInstanceOf(SftpException.class);
    }
  }

  @Test
  void makesNoLinks() throws Exception {
    try (var client = new Client()) {
      assertThatThrownBy(() -> client.sftp.symlink("orders.csv", "link"))
          .isInstanceOf(SftpException.class);
      assertThatThrownBy(() -> client.sftp.hardlink("orders.csv", "link"))
          .isInstanceOf(SftpException.class);
    }
    assertThat(root.resolve("link")).doesNotExist();
  }

  @Test
  void offersNeitherShellNorCommands() throws Exception {
    try (var client = new Client()) {
      assertThatThrownBy(() -> client.session.openChannel("shell").connect(5_000))
          .isInstanceOf(JSchException.class);
      ChannelExec command = (ChannelExec) client.session.openChannel("exec");
      command.setCommand("id");
      assertThatThrownBy(() -> command.connect(5_000)).isInstanceOf(JSchException.class);
    }
  }

  @Test
  void forwardsNoPorts() throws Exception {
    try (var client = new Client()) {
      assertThatThrownBy(() -> client.session.setPortForwardingR(0, "127.0.0.1", server.port()))
          .isInstanceOf(JSchException.class);
      assertThatThrownBy(
              () -> client.session.getStreamForwarder("127.0.0.1", server.port()).connect(5_000))
          .isInstanceOf(JSchException.class);
    }
  }

  @ParameterizedTest
  @CsvSource({"cipher.s2c,aes128-cbc", "mac.s2c,hmac-sha1", "kex,diffie-hellman-group14-sha1"})
  void agreesOnNoOldAlgorithm(String kind, String algorithm) throws Exception {
    Session session = session(USER, PASSWORD);
    // Without this, a MAC is not even negotiated.
    session.setConfig("cipher.s2c", "aes128-ctr");
    session.setConfig(kind, algorithm);
    assertThatThrownBy(session::connect)
        .isInstanceOf(JSchException.class)
        .hasMessageContaining("Algorithm negotiation fail");
  }

  @Test
  void isKnownByTheSameKeyAfterARestart() throws Exception {
    String before = server.knownHostsLine();
    int port = server.port();
    server.close();
    server = startServer(port);
    assertThat(server.knownHostsLine()).isEqualTo(before).startsWith("[127.0.0.1]:" + port + " ");
    assertThat(Files.getPosixFilePermissions(hostKeyFile))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void isRefusedByClientsThatKnowAnotherKey() throws Exception {
    Session session = session(USER, PASSWORD);
    int port = server.port();
    server.close();
    Files.delete(hostKeyFile);
    server = startServer(port);
    assertThatThrownBy(session::connect)
        .isInstanceOf(JSchException.class)
        .hasMessageContaining("HostKey has been changed");
  }

  @Test
  void doesNotReplaceAHostKeyThatItCannotRead() throws IOException {
    Files.writeString(hostKeyFile, "not a key");
    assertThatThrownBy(() -> startServer(0))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
        .hasMessageContaining(hostKeyFile.toString());
    assertThat(hostKeyFile).hasContent("not a key");
  }

  @Test
  void namesTheSettingOfATakenPort() {
    assertThatThrownBy(() -> startServer(server.port()))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
        .hasMessageContaining("127.0.0.1:" + server.port())
        .hasMessageContaining("caravan.embedded.sftp.port");
  }

  @Test
  void refusesARootThatIsNoDirectory() {
    assertThatThrownBy(
            () ->
                EmbeddedSftpServer.start(
                    directory.resolve("missing"), hostKeyFile, 0, USER, PASSWORD))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
        .hasMessageContaining("missing");
  }

  @Test
  void listensOnNoOtherAddress() throws IOException {
    assumeThat(System.getProperty("os.name")).as("127.0.0.2 exists").isEqualTo("Linux");
    InetAddress other = InetAddress.getByAddress(new byte[] {127, 0, 0, 2});
    assertThatThrownBy(() -> new Socket(other, server.port()).close())
        .isInstanceOf(ConnectException.class);
  }

  /** Of a client that knows the server's key and insists on it and on strict key exchange. */
  private Session session(String username, String password) throws JSchException {
    JSch jsch = new JSch();
    byte[] knownHosts = server.knownHostsLine().getBytes(StandardCharsets.US_ASCII);
    jsch.setKnownHosts(new ByteArrayInputStream(knownHosts));
    Session session = jsch.getSession(username, "127.0.0.1", server.port());
    session.setPassword(password.getBytes(StandardCharsets.UTF_8));
    session.setConfig("StrictHostKeyChecking", "yes");
    session.setConfig("require_strict_kex", "yes");
    session.setTimeout(10_000);
    return session;
  }

  private final class Client implements AutoCloseable {

    final Session session = session(USER, PASSWORD);
    final ChannelSftp sftp;

    Client() throws JSchException {
      session.connect();
      sftp = (ChannelSftp) session.openChannel("sftp");
      sftp.connect();
    }

    List<String> names(String path) throws SftpException {
      return sftp.ls(path).stream()
          .map(ChannelSftp.LsEntry::getFilename)
          .filter(name -> !name.equals(".") && !name.equals(".."))
          .toList();
    }

    String read(String path) throws SftpException, IOException {
      try (InputStream in = sftp.get(path)) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    }

    void write(String path, String content) throws SftpException {
      sftp.put(new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)), path);
    }

    @Override
    public void close() {
      session.disconnect();
    }
  }
}
