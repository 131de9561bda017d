package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.util.List;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.compression.BuiltinCompressions;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.file.virtualfs.VirtualFileSystemFactory;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.mac.BuiltinMacs;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.password.PasswordAuthenticator;
import org.apache.sshd.server.auth.password.UserAuthPasswordFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;

/**
 * A real SFTP server of our own on 127.0.0.1, for one user with a password. It serves one directory
 * and nothing outside it, and offers no shell, no commands and no forwarding.
 */
public final class EmbeddedSftpServer implements AutoCloseable {

  private static final String ADDRESS = "127.0.0.1";

  private final SshServer server;
  private final PublicKey hostKey;

  private EmbeddedSftpServer(SshServer server, PublicKey hostKey) {
    this.server = server;
    this.hostKey = hostKey;
  }

  /**
   * Starts the server.
   *
   * @param root an existing directory; clients see it as {@code /}
   * @param hostKeyFile made on the first start, then kept: clients know the server by it
   * @param port 0 for any that is free
   * @throws CaravanException CONFIG_INVALID when the port is taken, the root is no directory or the
   *     host key file holds no key
   */
  public static EmbeddedSftpServer start(
      Path root, Path hostKeyFile, int port, String username, String password) {
    if (!Files.isDirectory(root)) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "The embedded SFTP server cannot serve %s: it is no directory.".formatted(root));
    }
    try {
      KeyPair hostKey = HostKey.loadOrCreate(hostKeyFile);
      SshServer server = server(root.toRealPath());
      server.setPort(port);
      server.setKeyPairProvider(KeyPairProvider.wrap(hostKey));
      server.setPasswordAuthenticator(onlyFor(username, password));
      server.start();
      return new EmbeddedSftpServer(server, hostKey.getPublic());
    } catch (BindException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "The embedded SFTP server cannot listen on %s:%d (%s). "
                  .formatted(ADDRESS, port, e.getMessage())
              + "Free the port, or set caravan.embedded.sftp.port to another one (0: any).",
          e);
    } catch (IOException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "Cannot start the embedded SFTP server on %s with the host key %s: %s"
              .formatted(root, hostKeyFile, e),
          e);
    }
  }

  private static SshServer server(Path root) {
    SshServer server =
        ServerBuilder.builder()
            .keyExchangeFactories(
                NamedFactory.setUpTransformedFactories(
                    false,
                    List.of(BuiltinDHFactories.curve25519, BuiltinDHFactories.ecdhp256),
                    ServerBuilder.DH2KEX))
            .signatureFactories(List.of(BuiltinSignatures.nistp256))
            // The JDK encrypts both in hardware.
            .cipherFactories(List.of(BuiltinCiphers.aes128gcm, BuiltinCiphers.aes128ctr))
            .macFactories(List.of(BuiltinMacs.hmacsha256etm, BuiltinMacs.hmacsha512etm))
            .compressionFactories(List.of(BuiltinCompressions.none))
            .forwardingFilter(RejectAllForwardingFilter.INSTANCE)
            .fileSystemFactory(new VirtualFileSystemFactory(root))
            .build();
    server.setHost(ADDRESS);
    server.setUserAuthFactories(List.of(UserAuthPasswordFactory.INSTANCE));
    server.setSubsystemFactories(
        List.of(
            new SftpSubsystemFactory.Builder()
                .withFileSystemAccessor(new JailedFiles(root))
                .build()));
    return server;
  }

  /** The comparison takes the same time wherever the difference is. */
  private static PasswordAuthenticator onlyFor(String username, String password) {
    byte[] login = login(username, password);
    return (givenUser, givenPassword, session) ->
        MessageDigest.isEqual(login(givenUser, givenPassword), login);
  }

  private static byte[] login(String username, String password) {
    return (username + "\0" + password).getBytes(StandardCharsets.UTF_8);
  }

  /** The port on 127.0.0.1. */
  public int port() {
    return server.getPort();
  }

  /** The line of a known_hosts file by which a client knows this server. */
  public String knownHostsLine() {
    return "[%s]:%d %s".formatted(ADDRESS, port(), PublicKeyEntry.toString(hostKey));
  }

  /** Stops the server and cuts its connections. */
  @Override
  public void close() {
    try {
      server.stop(true);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot stop the embedded SFTP server", e);
    }
  }
}
