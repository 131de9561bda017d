package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.file.GenericFile;
import org.apache.camel.component.file.GenericFileOperationFailedException;
import org.apache.camel.component.file.remote.RemoteFileConfiguration;
import org.apache.camel.component.file.remote.RemoteFileOperations;
import org.apache.camel.component.file.remote.SftpRemoteFile;

/**
 * The remote file of one exchange and its message body. It is opened when a step asks for its
 * bytes, so that a step that is redelivered reads it again from its first byte.
 */
public final class SftpFile implements Callable<InputStream> {

  /** The exchange property that the consumer leaves it in, for the route to make it the body. */
  public static final String PROPERTY = "CaravanSftpFile";

  private final RemoteFileOperations<SftpRemoteFile<?>> operations;
  private final RemoteFileConfiguration server;
  private final Exchange exchange;
  private final GenericFile<SftpRemoteFile<?>> file;
  private final boolean viaTempFile;
  private FileStamp stamp;

  SftpFile(
      RemoteFileOperations<SftpRemoteFile<?>> operations,
      RemoteFileConfiguration server,
      Exchange exchange,
      GenericFile<SftpRemoteFile<?>> file,
      boolean viaTempFile) {
    this.operations = operations;
    this.server = server;
    this.exchange = exchange;
    this.file = file;
    this.viaTempFile = viaTempFile;
    this.stamp = FileStamp.of(file);
  }

  /** The file as it was when it was opened last. */
  FileStamp stamp() {
    return stamp;
  }

  /** The bytes of the file; their end is reached only if the file is whole and unchanged. */
  @Override
  public InputStream call() throws IOException {
    InputStream remote = open();
    Message message = exchange.getMessage();
    message.setHeader(Exchange.FILE_LENGTH, stamp.size());
    message.setHeader(Exchange.FILE_LAST_MODIFIED, stamp.modifiedAt().toEpochMilli());
    try {
      return Unpacked.open(viaTempFile ? downloaded(remote) : remote, stamp.name());
    } catch (IOException | RuntimeException e) {
      remote.close();
      throw e;
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
    return Files.newInputStream(local, StandardOpenOption.DELETE_ON_CLOSE);
  }

  private InputStream open() {
    try {
      stamp = stat();
      operations.retrieveFile(file.getAbsoluteFilePath(), exchange, stamp.size());
      return new VerifiedStream((InputStream) file.getBody());
    } catch (GenericFileOperationFailedException e) {
      throw SftpFailure.of("Cannot read " + file.getFileNameOnly(), e);
    }
  }

  /** Asks the server what the file is like now; a long load may have cost the connection. */
  FileStamp stat() {
    try {
      if (!operations.isConnected()) {
        operations.connect(server, exchange);
      }
      SftpRemoteFile<?>[] found = operations.listFiles(file.getAbsoluteFilePath());
      if (found.length != 1) {
        throw new CaravanException(
            FailureCode.SOURCE_GONE, file.getFileNameOnly() + " is no longer on the server.");
      }
      return new FileStamp(
          file.getFileNameOnly(),
          found[0].getFileLength(),
          java.time.Instant.ofEpochMilli(found[0].getLastModified()));
    } catch (GenericFileOperationFailedException e) {
      throw SftpFailure.of("Cannot look at " + file.getFileNameOnly(), e);
    }
  }

  /** Counts what is read and looks at the file again when it ends. */
  private final class VerifiedStream extends InputStream {

    private final InputStream in;
    private long bytes;
    private boolean verified;

    VerifiedStream(InputStream in) {
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
      verified = true;
      if (bytes < stamp.size()) {
        throw new CaravanException(
            FailureCode.SOURCE_INCOMPLETE,
            "%s ended after %d bytes; the server announced %d."
                .formatted(stamp.name(), bytes, stamp.size()));
      }
      FileStamp now = stat();
      if (bytes > stamp.size() || !now.equals(stamp)) {
        throw new CaravanException(
            FailureCode.SOURCE_CHANGED,
            "%s changed while it was read: %d bytes of %s before, %d bytes of %s after."
                .formatted(
                    stamp.name(), stamp.size(), stamp.modifiedAt(), now.size(), now.modifiedAt()));
      }
    }

    /**
     * A read that stops half-way leaves requests under way, whose answers the next file would take
     * for its own: that connection is given up, and the next step makes a new one.
     */
    @Override
    public void close() throws IOException {
      if (verified) {
        in.close();
      } else {
        operations.forceDisconnect();
      }
    }
  }
}
