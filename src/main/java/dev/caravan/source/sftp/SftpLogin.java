package dev.caravan.source.sftp;

import com.jcraft.jsch.JSch;
import dev.caravan.address.AllowedHosts;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A server, who logs in there, and how the server is known. All of it is data: none of it becomes
 * part of an endpoint's address.
 *
 * @param password of the user; empty when there is a key
 * @param keyFile the private key, a local file
 * @param knownHosts lines as in OpenSSH's known_hosts; a server that they do not know is refused
 * @param hosts where the server may be, looked at each time it is connected to; empty for a server
 *     that the operator named, which may be anywhere
 */
public record SftpLogin(
    String host,
    int port,
    String username,
    Optional<String> password,
    Optional<Path> keyFile,
    Optional<String> keyPassphrase,
    String knownHosts,
    Optional<AllowedHosts> hosts) {

  /**
   * AES with counter or Galois mode: fast in hardware, and out of reach of Terrapin and CBC
   * attacks.
   */
  private static final String CIPHERS =
      "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";

  /**
   * Sets JSch's defaults, which are the process's; to be called once before the first connection.
   */
  public static void secureDefaults() {
    JSch.setConfig("cipher.s2c", CIPHERS);
    JSch.setConfig("cipher.c2s", CIPHERS);
    // One try with one password: servers count and lock.
    JSch.setConfig("MaxAuthTries", "1");
  }

  /** The folder as people know it: sftp://user@host:port/folder. */
  String shown(String folder) {
    return "sftp://%s@%s:%d/%s".formatted(username, host, port, folder.replaceFirst("^/+", ""));
  }

  /** Without the secrets. */
  @Override
  public String toString() {
    return shown("");
  }
}
