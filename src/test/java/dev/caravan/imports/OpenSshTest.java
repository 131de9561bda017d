package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caravan.testing.FreePort;
import dev.caravan.testing.TestImport;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The import against OpenSSH itself, where it is installed and the tests run as root: a user of
 * their own, sftp only, is made and taken away again.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OpenSshTest {

  private static final Path SSHD = Path.of("/usr/sbin/sshd");
  private static final String USER = "caravantest";
  private static final String PASSWORD = "Passwort-ß-1";

  @TempDir Path folder;
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
    keygen("host", "ed25519", "");
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
        AuthorizedKeysFile %s
        AllowUsers %s
        Subsystem sftp internal-sftp
        ForceCommand internal-sftp
        """
            .formatted(port, base.resolve("host"), base.resolve("authorized_keys"), USER));
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

  private Path keygen(String name, String type, String passphrase) throws Exception {
    Path key = base.resolve(name);
    run(List.of("ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", key.toString()), "");
    return key;
  }

  /** A folder of the user's with one file in it. */
  private Path export(String name) throws IOException {
    Path export = Files.createDirectories(base.resolve(name));
    Files.setPosixFilePermissions(export, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.writeString(export.resolve("a.csv"), "id,x\n1,a\n");
    return export;
  }

  private TestImport caravan(Path export, Map<String, String> login) throws Exception {
    return new TestImport(folder, "sftp://%s@127.0.0.1:%d".formatted(USER, port), login)
        .project("remote_path: " + export, "primary_key: id")
        .start();
  }

  private void loadsWith(String name, Map<String, String> login) throws Exception {
    Path export = export(name);
    try (TestImport caravan = caravan(export, login)) {
      await()
          .atMost(Duration.ofSeconds(40))
          .until(() -> Files.exists(export.resolve(".done/a.csv")));
      caravan.await("SELECT * FROM a", "1|a");
      caravan.await("SELECT state FROM caravan.job", "completed");
    }
  }

  @Test
  void logsInWithAPassword() throws Exception {
    loadsWith(
        "password", Map.of("caravan.sftp.password", PASSWORD, "caravan.sftp.host-key", hostKey));
  }

  @ParameterizedTest
  @CsvSource({
    "ed25519,''",
    "ed25519,secret words",
    "rsa,''",
    "rsa,secret words",
    "ecdsa,''",
    "ecdsa,secret words"
  })
  void logsInWithAKey(String type, String passphrase) throws Exception {
    String name = type + (passphrase.isEmpty() ? "" : "-locked");
    Path key = keygen(name, type, passphrase);
    Files.copy(
        base.resolve(name + ".pub"),
        base.resolve("authorized_keys"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Map<String, String> login = new java.util.HashMap<>();
    login.put("caravan.sftp.key-path", key.toString());
    login.put("caravan.sftp.host-key", hostKey);
    if (!passphrase.isEmpty()) {
      login.put("caravan.sftp.key-passphrase", passphrase);
    }
    loadsWith("key-" + name, login);
  }

  @Test
  void namesWhatTheServerRefuses() throws Exception {
    Path export = export("refused");
    Path stranger = keygen("stranger", "ed25519", "");
    List<Map<String, String>> logins = new ArrayList<>();
    logins.add(Map.of("caravan.sftp.password", "wrong", "caravan.sftp.host-key", hostKey));
    logins.add(
        Map.of("caravan.sftp.key-path", stranger.toString(), "caravan.sftp.host-key", hostKey));
    String otherKey = Files.readString(base.resolve("stranger.pub")).replaceFirst(" [^ ]*$", "");
    logins.add(
        Map.of("caravan.sftp.password", PASSWORD, "caravan.sftp.host-key", otherKey.strip()));
    List<String> codes = List.of("AUTH_FAILED", "AUTH_FAILED", "HOST_KEY");
    for (int i = 0; i < logins.size(); i++) {
      try (TestImport caravan = caravan(export, logins.get(i))) {
        caravan.await(
            "SELECT kind, state, code FROM caravan.job", "poll-sftp|failed|" + codes.get(i));
      }
    }
    assertThat(export.resolve("a.csv")).exists();
    long failures =
        Files.readAllLines(base.resolve("sshd.log")).stream()
            .filter(line -> line.startsWith("Failed password for " + USER))
            .count();
    assertThat(failures).isEqualTo(1);
  }
}
