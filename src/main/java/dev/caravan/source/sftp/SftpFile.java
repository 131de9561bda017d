package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.FaultPoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.camel.Exchange;
import org.apache.camel.component.file.FileComponent;
import org.apache.camel.component.file.remote.RemoteFile;
import org.apache.camel.component.file.remote.RemoteFileOperations;
import org.apache.camel.component.file.remote.SftpRemoteFile;
import org.apache.camel.support.DefaultExchange;

/** One remote file as the body of a message: each time it is called it is read from its start. */
public final class SftpFile implements Callable<InputStream> {

  private final SftpSource source;
  private final FileStamp stamp;
  private final boolean viaTempFile;
  private volatile RemoteFileOperations<SftpRemoteFile<?>> reading;

  SftpFile(SftpSource source, FileStamp stamp, boolean viaTempFile) {
    this.source = source;
    this.stamp = stamp;
    this.viaTempFile = viaTempFile;
  }

  /** The bytes of the file; their end is reached only if the file is whole and unchanged. */
  @Override
  public InputStream call() throws IOException {
    InputStream remote = open();
    FaultPoint.hit("K3");
    try {
      return viaTempFile ? downloaded(remote) : remote;
    } catch (IOException | RuntimeException e) {
      remote.close();
      throw e;
    }
  }

  /** Ends a read that another thread is in; it fails there. */
  public void abort() {
    RemoteFileOperations<SftpRemoteFile<?>> session = reading;
    if (session != null) {
      session.forceDisconnect();
    }
  }

  /** The whole file in a private temporary file of our own name, which goes when it is closed. */
  private static InputStream downloaded(InputStream remote) throws IOException {
    Path local = Files.createTempFile("caravan-", ".download");
    try (remote;
        OutputStream out = Files.newOutputStream(local)) {
      remote.transferTo(out);
    } catch (IOException | RuntimeException e) {
      Files.delete(local);
      throw e;
    }
    FaultPoint.hit("K5");
    return Files.newInputStream(local, StandardOpenOption.DELETE_ON_CLOSE);
  }

  private InputStream open() {
    RemoteFileOperations<SftpRemoteFile<?>> session = source.borrow();
    try {
      requireSame(session);
      reading = session;
      return new VerifiedStream(session, retrieve(session));
    } catch (RuntimeException e) {
      source.giveUp(session);
      throw SftpFailure.of("Cannot read " + stamp.name(), e);
    }
  }

  /** Camel hands the stream over by way of an exchange. */
  private InputStream retrieve(RemoteFileOperations<SftpRemoteFile<?>> session) {
    RemoteFile<SftpRemoteFile<?>> file = new RemoteFile<>();
    file.setFileName(stamp.name());
    Exchange exchange = new DefaultExchange(source.context());
    exchange.setProperty(FileComponent.FILE_EXCHANGE_FILE, file);
    session.retrieveFile(source.path(stamp.name()), exchange, stamp.size());
    return (InputStream) file.getBody();
  }

  private void requireSame(RemoteFileOperations<SftpRemoteFile<?>> session) {
    Optional<FileStamp> now = source.stat(session, stamp.name());
    if (now.isEmpty()) {
      throw new CaravanException(
          FailureCode.SOURCE_GONE, stamp.name() + " is no longer on the server.");
    }
    if (!now.get().equals(stamp)) {
      throw changed(now.get());
    }
  }

  private CaravanException changed(FileStamp now) {
    return new CaravanException(
        FailureCode.SOURCE_CHANGED,
        "%s changed: it had %d bytes of %s and has %d bytes of %s."
            .formatted(
                stamp.name(), stamp.size(), stamp.modifiedAt(), now.size(), now.modifiedAt()));
  }

  /** Counts what is read and looks at the file again when it ends. */
  private final class VerifiedStream extends InputStream {

    private final RemoteFileOperations<SftpRemoteFile<?>> session;
    private final InputStream in;
    private long bytes;
    private boolean verified;
    private boolean closed;

    VerifiedStream(RemoteFileOperations<SftpRemoteFile<?>> session, InputStream in) {
      this.session = session;
      this.in = in;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      int n;
      try {
        n = in.read(target, offset, length);
      } catch (IOException e) {
        throw SftpFailure.of(
            "Reading %s broke after %d of %d bytes".formatted(stamp.name(), bytes, stamp.size()),
            e);
      }
      if (n < 0) {
        verify();
      } else {
        bytes += n;
        FaultPoint.hit("K4");
      }
      return n;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      int n = read(one, 0, 1);
      return n < 0 ? -1 : one[0] & 0xFF;
    }

    private void verify() {
      if (verified) {
        return;
      }
      if (bytes < stamp.size()) {
        throw new CaravanException(
            FailureCode.SOURCE_INCOMPLETE,
            "%s ended after %d bytes; the server announced %d."
                .formatted(stamp.name(), bytes, stamp.size()));
      }
      requireSame(session);
      verified = true; // not before: an answer that did not come may still be under way
    }

    /**
     * A read that stops half-way leaves requests under way, whose answers the next file would take
     * for its own: that session is given up.
     */
    @Override
    public void close() throws IOException {
      if (closed) {
        return;
      }
      closed = true;
      reading = null;
      if (verified) {
        in.close();
        source.giveBack(session);
      } else {
        source.giveUp(session);
      }
    }
  }
}
