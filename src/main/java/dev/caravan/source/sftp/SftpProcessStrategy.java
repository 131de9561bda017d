package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.apache.camel.Exchange;
import org.apache.camel.component.file.GenericFile;
import org.apache.camel.component.file.GenericFileEndpoint;
import org.apache.camel.component.file.GenericFileOperations;
import org.apache.camel.component.file.GenericFileProcessStrategy;
import org.apache.camel.component.file.remote.RemoteFileConfiguration;
import org.apache.camel.component.file.remote.RemoteFileOperations;
import org.apache.camel.component.file.remote.SftpRemoteFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens with a file before and after its exchange. It is moved only after the load was
 * committed, and only if it is still the file that was loaded; a move that failed is made up for by
 * a later poll, without a second load.
 */
public final class SftpProcessStrategy implements GenericFileProcessStrategy<SftpRemoteFile<?>> {

  private static final Logger LOG = LoggerFactory.getLogger(SftpProcessStrategy.class);

  private static final Duration RETRY_MOVE = Duration.ofSeconds(30);
  private static final Duration RETRY_LOAD = Duration.ofSeconds(30);
  private static final DateTimeFormatter SUFFIX =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS").withZone(ZoneOffset.UTC);

  private final SftpFileGate gate;
  private final SftpJournal journal;
  private final String doneDirectory;
  private final boolean viaTempFile;
  private final Clock clock;

  /**
   * @param doneDirectory where loaded files go, below the polled directory or, with a slash in
   *     front, from the root; null leaves them where they are
   * @param viaTempFile whether a file is downloaded whole before it is loaded
   */
  public SftpProcessStrategy(
      SftpFileGate gate,
      SftpJournal journal,
      String doneDirectory,
      boolean viaTempFile,
      Clock clock) {
    this.gate = gate;
    this.journal = journal;
    this.doneDirectory = doneDirectory;
    this.viaTempFile = viaTempFile;
    this.clock = clock;
  }

  @Override
  public void prepareOnStartup(
      GenericFileOperations<SftpRemoteFile<?>> operations,
      GenericFileEndpoint<SftpRemoteFile<?>> endpoint) {}

  @Override
  public boolean begin(
      GenericFileOperations<SftpRemoteFile<?>> operations,
      GenericFileEndpoint<SftpRemoteFile<?>> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile<?>> file) {
    FileStamp stamp = FileStamp.of(file);
    if (doneDirectory != null && journal.isLoadedAndThere(stamp)) {
      LOG.info("{} is loaded already; moving it is made up for", stamp.name());
      move(operations, file, stamp);
      return false;
    }
    exchange.setProperty(
        SftpFile.PROPERTY,
        new SftpFile(
            (RemoteFileOperations<SftpRemoteFile<?>>) operations,
            (RemoteFileConfiguration) endpoint.getConfiguration(),
            exchange,
            file,
            viaTempFile));
    return true;
  }

  @Override
  public void abort(
      GenericFileOperations<SftpRemoteFile<?>> operations,
      GenericFileEndpoint<SftpRemoteFile<?>> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile<?>> file) {}

  @Override
  public void commit(
      GenericFileOperations<SftpRemoteFile<?>> operations,
      GenericFileEndpoint<SftpRemoteFile<?>> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile<?>> file) {
    if (doneDirectory == null) {
      return;
    }
    SftpFile source = exchange.getProperty(SftpFile.PROPERTY, SftpFile.class);
    try {
      FileStamp now = source.stat();
      if (now.equals(source.stamp())) {
        move(operations, file, now);
      } else {
        LOG.warn("{} changed after it was loaded; it stays and is loaded again", now.name());
      }
    } catch (CaravanException e) {
      gate.hold(file.getFileNameOnly(), RETRY_MOVE);
      LOG.warn("{} {} The load is complete; the file was not moved.", e.code(), e.getMessage());
    }
  }

  private void move(
      GenericFileOperations<SftpRemoteFile<?>> operations,
      GenericFile<SftpRemoteFile<?>> file,
      FileStamp stamp) {
    String from = file.getAbsoluteFilePath();
    String folder = from.substring(0, from.length() - file.getFileNameOnly().length());
    String directory = doneDirectory.startsWith("/") ? doneDirectory : folder + doneDirectory;
    String to = directory + "/" + file.getFileNameOnly();
    try {
      operations.buildDirectory(directory, directory.startsWith("/"));
      if (operations.existsFile(to)) {
        to = to + "." + SUFFIX.format(clock.instant());
      }
      operations.renameFile(from, to);
      journal.moved(stamp);
    } catch (RuntimeException e) {
      gate.hold(stamp.name(), RETRY_MOVE);
      CaravanException failure = SftpFailure.of("Cannot move " + from + " to " + to, e);
      LOG.warn(
          "{} {} The load is complete; the move is tried again.",
          failure.code(),
          failure.getMessage());
    }
  }

  @Override
  public void rollback(
      GenericFileOperations<SftpRemoteFile<?>> operations,
      GenericFileEndpoint<SftpRemoteFile<?>> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile<?>> file) {
    Exception cause = exchange.getException();
    boolean again = cause instanceof CaravanException known && known.code().retryable();
    gate.hold(file.getFileNameOnly(), again ? RETRY_LOAD : SftpFileGate.UNTIL_CHANGED);
  }
}
