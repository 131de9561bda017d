package dev.caravan.source.sftp;

import com.jcraft.jsch.JSch;
import org.apache.camel.Endpoint;
import org.apache.camel.component.file.remote.RemoteFileConfiguration;
import org.apache.camel.component.file.remote.RemoteFileEndpoint;

/** What holds for every SFTP server that we talk to. */
public final class SftpServers {

  /**
   * AES with counter or Galois mode: fast in hardware, and out of reach of Terrapin and CBC
   * attacks.
   */
  private static final String CIPHERS =
      "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";

  private SftpServers() {}

  /**
   * Sets JSch's defaults, which are the process's; to be called once before the first connection.
   */
  public static void secureDefaults() {
    JSch.setConfig("cipher.s2c", CIPHERS);
    JSch.setConfig("cipher.c2s", CIPHERS);
    // One try with one password: servers count and lock.
    JSch.setConfig("MaxAuthTries", "1");
  }

  /** user@host:port/directory of the endpoint, without its secrets. */
  static String of(Endpoint endpoint) {
    RemoteFileConfiguration config = ((RemoteFileEndpoint<?>) endpoint).getConfiguration();
    return "sftp://%s@%s:%d/%s"
        .formatted(
            config.getUsername(),
            config.getHost(),
            config.getPort(),
            config.getDirectory().replaceFirst("^/+", ""));
  }
}
