package dev.caravan.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The machine's own OpenSSH, sftp-only, on 127.0.0.1; the user is the one that runs the tests. */
public final class OpenSshServer implements AutoCloseable {

  private static final Path SSHD = Path.of("/usr/sbin/sshd");

  private final Path folder;
  private final int port;
  private final Process process;

  private OpenSshServer(Path folder, int port, Process process) {
    this.folder = folder;
    this.port = port;
    this.process = process;
  }

  /** Whether this machine has what is needed. */
  public static boolean isInstalled() {
    return Files.isExecutable(SSHD) && Files.isExecutable(Path.of("/usr/bin/ssh-keygen"));
  }

  /** Starts it with a configuration and a host key of its own in the folder. */
  public static OpenSshServer start(Path folder) throws Exception {
    int port = FreePort.find();
    Path log = folder.resolve("sshd.log");
    newKey(folder.resolve("host"), "ed25519", "");
    Files.createFile(folder.resolve("authorized_keys"));
    if (System.getProperty("user.name").equals("root")) {
      Files.createDirectories(Path.of("/run/sshd")); // sshd wants it for its unprivileged half
    }
    List<String> config =
        List.of(
            "Port " + port,
            "ListenAddress 127.0.0.1",
            "HostKey " + folder.resolve("host"),
            "PidFile none",
            "AuthorizedKeysFile " + folder.resolve("authorized_keys"),
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "Subsystem sftp internal-sftp",
            "ForceCommand internal-sftp");
    Files.write(folder.resolve("sshd_config"), config);
    Process process =
        new ProcessBuilder(
                SSHD.toString(), "-D", "-e", "-f", folder.resolve("sshd_config").toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    OpenSshServer server = new OpenSshServer(folder, port, process);
    await().atMost(10, TimeUnit.SECONDS).until(server::isListening);
    return server;
  }

  /** What a project says under {@code sftp} to log in with this key and to read this folder. */
  public Map<String, String> login(Path key, Path exports) throws IOException {
    String hostKey = Files.readString(folder.resolve("host.pub")).strip();
    Map<String, String> sftp = new LinkedHashMap<>();
    sftp.put("host", "127.0.0.1");
    sftp.put("port", String.valueOf(port));
    sftp.put("username", System.getProperty("user.name"));
    sftp.put("key_path", key.toString());
    sftp.put("host_key", hostKey.replaceFirst("^(\\S+ \\S+).*", "$1"));
    sftp.put("remote_path", exports.toString());
    sftp.put("poll_seconds", "1");
    sftp.put("stable_seconds", "0"); // two polls
    return sftp;
  }

  /** Makes a private key that may log in; an empty passphrase leaves it unencrypted. */
  public Path authorizedKey(String type, String passphrase) throws Exception {
    Path key = folder.resolve("key-" + type + passphrase.length());
    newKey(key, type, passphrase);
    Files.write(
        folder.resolve("authorized_keys"),
        Files.readAllBytes(Path.of(key + ".pub")),
        java.nio.file.StandardOpenOption.APPEND);
    return key;
  }

  private static void newKey(Path file, String type, String passphrase) throws Exception {
    Process keygen =
        new ProcessBuilder(
                "/usr/bin/ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", file.toString())
            .inheritIO()
            .start();
    assertThat(keygen.waitFor()).isZero();
  }

  private boolean isListening() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    await().atMost(10, TimeUnit.SECONDS).until(() -> !process.isAlive());
  }
}
