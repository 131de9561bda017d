package dev.caravan.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.AccessDeniedException;
import java.nio.file.CopyOption;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.file.virtualfs.VirtualFileSystemFactory;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.session.ServerSession;
import org.apache.sshd.sftp.server.FileHandle;
import org.apache.sshd.sftp.server.SftpEventListener;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;

/** An SFTP server whose misbehaviour a test decides. User u, password p. */
public final class TestSftpServer implements AutoCloseable {

  /** Called before each read with the file and the offset; may throw or close the session. */
  @FunctionalInterface
  public interface ReadHook {
    void reading(ServerSession session, Path file, long offset) throws IOException;
  }

  public final AtomicInteger loginAttempts = new AtomicInteger();
  public volatile ReadHook onRead = (session, file, offset) -> {};
  public volatile boolean denyMoves;
  public volatile boolean denyOpening;

  private final SshServer server = SshServer.setUpDefaultServer();
  private final KeyPair hostKey;

  private TestSftpServer(Path root, int port) throws Exception {
    hostKey = newHostKey();
    server.setHost(InetAddress.getLoopbackAddress().getHostAddress());
    server.setPort(port);
    server.setKeyPairProvider(KeyPairProvider.wrap(hostKey));
    server.setFileSystemFactory(new VirtualFileSystemFactory(root));
    server.setPasswordAuthenticator(
        (user, password, session) -> {
          loginAttempts.incrementAndGet();
          return user.equals("u") && password.equals("p");
        });
    SftpSubsystemFactory sftp = new SftpSubsystemFactory();
    sftp.addSftpEventListener(new Hooks());
    server.setSubsystemFactories(List.of(sftp));
  }

  /** Starts one that serves the folder; port 0 for any. */
  public static TestSftpServer start(Path root, int port) throws Exception {
    TestSftpServer test = new TestSftpServer(root, port);
    test.server.start();
    return test;
  }

  /** Starts one that offers nothing but CBC ciphers. */
  public static TestSftpServer startWithOldCiphers(Path root) throws Exception {
    TestSftpServer test = new TestSftpServer(root, 0);
    test.server.setCipherFactories(List.of(BuiltinCiphers.aes128cbc));
    test.server.start();
    return test;
  }

  /** A key as a server shows it, in the form "type base64". */
  public static String randomHostKey() throws Exception {
    return PublicKeyEntry.toString(newHostKey().getPublic());
  }

  private static KeyPair newHostKey() throws Exception {
    var generator = SecurityUtils.getKeyPairGenerator("EC");
    generator.initialize(256);
    return generator.generateKeyPair();
  }

  public int port() {
    return server.getPort();
  }

  public String hostKey() {
    return PublicKeyEntry.toString(hostKey.getPublic());
  }

  @Override
  public void close() throws IOException {
    server.stop(true);
  }

  private final class Hooks implements SftpEventListener {

    @Override
    public void opening(
        ServerSession session, String remoteHandle, org.apache.sshd.sftp.server.Handle localHandle)
        throws IOException {
      if (denyOpening && localHandle instanceof FileHandle) {
        throw new AccessDeniedException(localHandle.toString());
      }
    }

    @Override
    public void reading(
        ServerSession session,
        String remoteHandle,
        FileHandle localHandle,
        long offset,
        byte[] data,
        int dataOffset,
        int dataLen)
        throws IOException {
      onRead.reading(session, localHandle.getFile(), offset);
    }

    @Override
    public void moving(
        ServerSession session, Path source, Path target, Collection<CopyOption> options)
        throws IOException {
      if (denyMoves) {
        throw new AccessDeniedException(target.toString());
      }
    }
  }
}
