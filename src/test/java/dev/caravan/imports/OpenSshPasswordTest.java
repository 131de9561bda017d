package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caravan.testing.FreePort;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Password logins against OpenSSH itself, where it is installed and the tests run as root: a user
 * of their own, sftp only, is made and taken away again. Keys are in {@link SftpLoginTest}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OpenSshPasswordTest {

  private static final Path SSHD = Path.of("/usr/sbin/sshd");
  private static final String USER = "caravantest";
  private static final String PASSWORD = "Passwort-ß-1";

  private static final Duration PATIENCE = Duration.ofSeconds(40);

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();
  private Path base;
  private int port;
  private Process sshd;
  private String hostKey;

  @BeforeAll
  void startServer() throws Exception {
    assumeTrue(Files.isExecutable(SSHD) && "root".equals(System.getProperty("user.name")));
    base = Files.createTempDirectory("caravan-openssh");
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
    run(List.of("useradd", "--no-create-home", "--home-dir", base.toString(), USER), "");
    run(List.of("chpasswd"), USER + ":" + PASSWORD + "\n");
    run(
        List.of(
            "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", base.resolve("host").toString()),
        "");
    String[] key = Files.readString(base.resolve("host.pub")).split(" ", -1);
    hostKey = key[0] + " " + key[1];
    port = FreePort.find();
    Files.createDirectories(Path.of("/run/sshd"));
    Files.writeString(
        base.resolve("sshd_config"),
        """
        ListenAddress 127.0.0.1:%d
        HostKey %s
        PidFile none
        UsePAM no
        StrictModes no
        PasswordAuthentication yes
        KbdInteractiveAuthentication no
        AllowUsers %s
        Subsystem sftp internal-sftp
        ForceCommand internal-sftp
        """
            .formatted(port, base.resolve("host"), USER));
    sshd =
        new ProcessBuilder(
                SSHD.toString(), "-D", "-e", "-f", base.resolve("sshd_config").toString())
            .redirectErrorStream(true)
            .redirectOutput(base.resolve("sshd.log").toFile())
            .start();
    await().atMost(Duration.ofSeconds(20)).until(this::isListening);
  }

  private boolean isListening() {
    try (Socket socket = new Socket(java.net.InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  @AfterAll
  void stopServer() throws Exception {
    if (sshd != null) {
      sshd.destroy();
      sshd.waitFor();
    }
    if (base != null) {
      new ProcessBuilder("userdel", USER).start().waitFor();
      run(List.of("rm", "-r", base.toString()), "");
    }
  }

  private static void run(List<String> command, String input) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (var out = process.outputWriter()) {
      out.write(input);
    }
    String said =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", command, said).isZero();
  }

  /** A folder of the user's with one file in it. */
  private Path export(String name) throws IOException {
    Path export = Files.createDirectories(base.resolve(name));
    Files.setPosixFilePermissions(export, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.writeString(export.resolve("a.csv"), "id,x\n1,a\n");
    return export;
  }

  private TestCaravan caravan(Path export, String login) throws Exception {
    return TestCaravan.start(
        database,
        folder,
        """
        project: p
        connection: warehouse
        sftp: {host: 127.0.0.1, port: %d, username: %s, remote_path: '%s', poll_seconds: 1, stable_seconds: 0, %s}
        defaults: {file_pattern: "*.csv", primary_key: id}
        """
            .formatted(port, USER, export, login));
  }

  @Test
  void logsInWithAPassword() throws Exception {
    Path export = export("password");
    try (TestCaravan caravan =
        caravan(export, "password: '%s', host_key: '%s'".formatted(PASSWORD, hostKey))) {
      assertThat(caravan.awaitEnd("a.csv").state()).isEqualTo("completed");
      assertThat(caravan.ids("a")).containsExactly("1");
      await().atMost(PATIENCE).until(() -> Files.exists(export.resolve(".done/a.csv")));
    }
  }

  @Test
  void isAskedOnceWithAWrongPassword() throws Exception {
    Path export = export("refused");
    try (TestCaravan caravan =
        caravan(export, "password: wrong, host_key: '%s'".formatted(hostKey))) {
      assertThat(caravan.awaitFailedPoll("p").code()).isEqualTo("AUTH_FAILED");
    }
    assertThat(export.resolve("a.csv")).exists();
    long failures =
        Files.readAllLines(base.resolve("sshd.log")).stream()
            .filter(line -> line.startsWith("Failed password for " + USER))
            .count();
    assertThat(failures).isEqualTo(1);
  }
}
