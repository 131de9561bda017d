package dev.caravan.source.sftp;

import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Proxy;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.SftpATTRS;
import com.jcraft.jsch.SftpException;
import java.time.Instant;
import java.util.Optional;
import org.apache.camel.component.file.remote.RemoteFileConfiguration;
import org.apache.camel.component.file.remote.SftpOperations;

/**
 * Camel's operations, and a look at one file that costs one request. Camel has only listings, which
 * read the whole folder: with ten thousand files in it, ten thousand times.
 */
final class StatOperations extends SftpOperations {

  private static final int CONNECT_MILLIS = 10_000;

  private Session session;
  private ChannelSftp stats;

  StatOperations(Proxy proxy) {
    super(proxy);
  }

  @Override
  protected Session createSession(RemoteFileConfiguration configuration) throws JSchException {
    session = super.createSession(configuration);
    stats = null;
    return session;
  }

  /** The file as it is now; empty when there is none. */
  Optional<FileStamp> stat(String path, String name) {
    try {
      if (stats == null || !stats.isConnected()) {
        stats = (ChannelSftp) session.openChannel("sftp");
        stats.connect(CONNECT_MILLIS);
      }
      SftpATTRS file = stats.lstat(path);
      // as Camel has it in listings, with which it is compared
      Instant modifiedAt = Instant.ofEpochMilli(file.getMTime() * 1000L);
      return Optional.of(new FileStamp(name, file.getSize(), modifiedAt));
    } catch (SftpException e) {
      if (e.id == ChannelSftp.SSH_FX_NO_SUCH_FILE) {
        return Optional.empty();
      }
      throw SftpFailure.of("Cannot look at " + name, e);
    } catch (JSchException e) {
      throw SftpFailure.of("Cannot look at " + name, e);
    }
  }
}
