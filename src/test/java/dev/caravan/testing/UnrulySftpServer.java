package dev.caravan.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.CopyOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.file.virtualfs.VirtualFileSystemFactory;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.session.ServerSession;
import org.apache.sshd.sftp.server.DirectoryHandle;
import org.apache.sshd.sftp.server.FileHandle;
import org.apache.sshd.sftp.server.SftpEventListener;
import org.apache.sshd.sftp.server.SftpFileSystemAccessor;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;
import org.apache.sshd.sftp.server.SftpSubsystemProxy;

/** An Apache MINA SFTP server on 127.0.0.1 that misbehaves as a test asks for. */
public final class UnrulySftpServer implements AutoCloseable {

  public static final String PASSWORD = "s3cret-of-the-test";

  private static final String USER = "exporter";

  private final Path root;
  private final KeyPair hostKey;
  private final Consumer<SshServer> setup;
  private final Set<String> authorizedKeys = ConcurrentHashMap.newKeySet();
  private final Map<String, byte[]> aliases = new ConcurrentHashMap<>();
  private final AtomicInteger passwordAttempts = new AtomicInteger();
  private final Queue<Long> cuts = new ConcurrentLinkedQueue<>();
  private final AtomicReference<Hold> hold = new AtomicReference<>();
  private final AtomicReference<Runnable> beforeOpen = new AtomicReference<>();
  private final AtomicReference<Runnable> beforeRead = new AtomicReference<>();
  private final AtomicInteger listingsToLose = new AtomicInteger();
  private volatile boolean readDenied;
  private volatile boolean renameDenied;
  private SshServer server;
  private int port;

  /** A read that does not answer until it is released; the connection itself stays alive. */
  private record Hold(long offset, CountDownLatch reached, CountDownLatch released) {}

  private UnrulySftpServer(Path root, String hostKeyType, int bits, Consumer<SshServer> setup)
      throws IOException, GeneralSecurityException {
    this.root = root;
    this.hostKey = KeyUtils.generateKeyPair(hostKeyType, bits);
    this.setup = setup;
    Files.createDirectories(root.resolve("export"));
    up();
  }

  /** Serves the folder, whose {@code export} has the files, for one user. */
  public static UnrulySftpServer start(Path root) throws Exception {
    return start(root, KeyPairProvider.ECDSA_SHA2_NISTP256, 256, server -> {});
  }

  /** As above, with its own kind of host key and other changes, such as to the algorithms. */
  public static UnrulySftpServer start(
      Path root, String hostKeyType, int bits, Consumer<SshServer> setup) throws Exception {
    return new UnrulySftpServer(root, hostKeyType, bits, setup);
  }

  /** Starts to listen; after {@link #down} on the same port and with the same host key. */
  public void up() throws IOException {
    SftpSubsystemFactory sftp =
        new SftpSubsystemFactory.Builder().withFileSystemAccessor(new Accessor()).build();
    sftp.addSftpEventListener(new Listener());
    server = SshServer.setUpDefaultServer();
    server.setHost("127.0.0.1");
    server.setPort(port);
    server.setKeyPairProvider(KeyPairProvider.wrap(hostKey));
    server.setFileSystemFactory(new VirtualFileSystemFactory(root));
    server.setSubsystemFactories(List.of(sftp));
    server.setPasswordAuthenticator(
        (user, password, session) -> {
          passwordAttempts.incrementAndGet();
          return user.equals(USER) && password.equals(PASSWORD);
        });
    server.setPublickeyAuthenticator(
        (user, key, session) -> authorizedKeys.contains(PublicKeyEntry.toString(key)));
    setup.accept(server);
    server.start();
    port = server.getPort();
  }

  /** Stops to listen and cuts the connections. */
  public void down() throws IOException {
    server.stop(true);
  }

  /** What a project says under {@code sftp} to log in with the password. */
  public Map<String, String> login() {
    Map<String, String> sftp = new LinkedHashMap<>();
    sftp.put("host", "127.0.0.1");
    sftp.put("port", String.valueOf(port));
    sftp.put("username", USER);
    sftp.put("password", PASSWORD);
    sftp.put("host_key", hostKey());
    sftp.put("remote_path", "/export");
    sftp.put("poll_seconds", "1");
    sftp.put("stable_seconds", "0"); // two polls
    return sftp;
  }

  /** Type and text of the public host key. */
  public String hostKey() {
    return PublicKeyEntry.toString(hostKey.getPublic());
  }

  /** Lets this public key (type and text) log in. */
  public void authorize(String publicKey) {
    authorizedKeys.add(publicKey);
  }

  /** How many passwords were tried so far. */
  public int passwordAttempts() {
    return passwordAttempts.get();
  }

  /** A file of the served folder. */
  public Path file(String name) {
    return root.resolve("export").resolve(name);
  }

  /** Puts a whole file there at once. */
  public void put(String name, byte[] content) {
    try {
      Path unfinished = Files.write(root.resolve("unfinished"), content);
      Files.move(unfinished, file(name), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void put(String name, String content) {
    put(name, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Says these bytes in listings where the file has another name. */
  public void alias(String name, byte[] said) {
    aliases.put(name, said);
  }

  /** Cuts the connection at the first read at or after each offset, one after the other. */
  public void cutAt(Long... offsets) {
    cuts.addAll(Arrays.asList(offsets));
  }

  /** How many of the cuts are still to come. */
  public int cutsLeft() {
    return cuts.size();
  }

  /** Holds back the answer to the next read at or after the offset, once. */
  public void holdAt(long offset) {
    hold.set(new Hold(offset, new CountDownLatch(1), new CountDownLatch(1)));
  }

  public boolean isHolding() {
    return hold.get().reached().getCount() == 0;
  }

  public void release() {
    hold.get().released().countDown();
  }

  /** Runs once, before the next file is opened. */
  public void beforeOpen(Runnable action) {
    beforeOpen.set(action);
  }

  /** Runs once, before the next file is read. */
  public void beforeRead(Runnable action) {
    beforeRead.set(action);
  }

  /** So many listings end as if a file had gone meanwhile. */
  public void loseFilesInListings(int times) {
    listingsToLose.set(times);
  }

  public void denyRead(boolean denied) {
    readDenied = denied;
  }

  public void denyRename(boolean denied) {
    renameDenied = denied;
  }

  @Override
  public void close() throws IOException {
    if (hold.get() != null) {
      release();
    }
    down();
  }

  private static void runOnce(AtomicReference<Runnable> action) {
    Runnable once = action.getAndSet(null);
    if (once != null) {
      once.run();
    }
  }

  private final class Accessor implements SftpFileSystemAccessor {

    @Override
    public void putRemoteFileName(
        SftpSubsystemProxy subsystem, Path path, Buffer buffer, String name, boolean shortName)
        throws IOException {
      byte[] alias = aliases.get(String.valueOf(path.getFileName()));
      if (alias == null) {
        buffer.putString(name);
      } else {
        buffer.putBytes(alias);
      }
    }

    @Override
    public java.nio.channels.SeekableByteChannel openFile(
        SftpSubsystemProxy subsystem,
        FileHandle fileHandle,
        Path file,
        String handle,
        Set<? extends OpenOption> options,
        FileAttribute<?>... attributes)
        throws IOException {
      runOnce(beforeOpen);
      if (readDenied) {
        throw new AccessDeniedException(String.valueOf(file));
      }
      return SftpFileSystemAccessor.super.openFile(
          subsystem, fileHandle, file, handle, options, attributes);
    }
  }

  private final class Listener implements SftpEventListener {

    @Override
    public void readingEntries(
        ServerSession session, String remoteHandle, DirectoryHandle localHandle)
        throws NoSuchFileException {
      if (listingsToLose.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        throw new NoSuchFileException(remoteHandle);
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
        int dataLength)
        throws IOException {
      runOnce(beforeRead);
      Long cut = cuts.peek();
      if (cut != null && offset >= cut && cuts.remove(cut)) {
        session.close(true);
        throw new IOException("cut");
      }
      Hold holding = hold.get();
      if (holding != null && offset >= holding.offset() && holding.reached().getCount() > 0) {
        holding.reached().countDown();
        try {
          holding.released().await();
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
      }
    }

    @Override
    public void moving(
        ServerSession session, Path source, Path target, Collection<CopyOption> options)
        throws IOException {
      if (renameDenied) {
        throw new AccessDeniedException(String.valueOf(source));
      }
    }
  }
}
