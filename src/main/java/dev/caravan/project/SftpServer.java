package dev.caravan.project;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * An SFTP server and how to log in. Of {@code password} and {@code keyPath} one is there.
 *
 * @param keyPath the private key, a local file
 * @param knownHosts a local file; when it and {@code hostKeys} are empty, the known hosts of the
 *     settings hold
 * @param hostKeys the public keys that the server may show, each as {@code type base64}
 */
public record SftpServer(
    String host,
    int port,
    String username,
    Optional<String> password,
    Optional<Path> keyPath,
    Optional<String> keyPassphrase,
    Optional<Path> knownHosts,
    List<String> hostKeys) {

  public SftpServer {
    hostKeys = List.copyOf(hostKeys);
  }

  /** Without the secrets. */
  @Override
  public String toString() {
    return "SftpServer[%s@%s:%d, password=%s, keyPath=%s, keyPassphrase=%s, knownHosts=%s, hostKeys=%s]"
        .formatted(
            username,
            host,
            port,
            masked(password),
            keyPath,
            masked(keyPassphrase),
            knownHosts,
            hostKeys);
  }

  private static String masked(Optional<String> secret) {
    return secret.isPresent() ? "***" : "none";
  }
}
