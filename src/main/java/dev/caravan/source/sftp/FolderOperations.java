package dev.caravan.source.sftp;

import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.SftpATTRS;
import com.jcraft.jsch.SftpException;
import dev.caravan.source.sftp.RemoteEntry.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.camel.component.file.GenericFileOperationFailedException;
import org.apache.camel.component.file.remote.RemoteFileConfiguration;
import org.apache.camel.component.file.remote.SftpOperations;
import org.apache.camel.component.file.remote.SftpRemoteFile;

/**
 * Camel's operations, with listings that say what links lead to, and a look at one file that costs
 * one request. Camel has only listings of what is there by name, which read the whole folder: with
 * ten thousand files in it, ten thousand times.
 */
final class FolderOperations extends SftpOperations {

  private static final int CONNECT_MILLIS = 10_000;

  /** As Linux: more links in a row are a circle. */
  private static final int MAX_LINKS = 40;

  private final ServerConnection connection;
  private Session session;
  private ChannelSftp looks;

  FolderOperations(ServerConnection connection) {
    super(connection);
    this.connection = connection;
  }

  /** Makes whatever the server is waited for with fail; at any time, from any thread. */
  void cut() {
    connection.cut();
  }

  @Override
  protected Session createSession(RemoteFileConfiguration configuration) throws JSchException {
    session = super.createSession(configuration);
    looks = null;
    return session;
  }

  private ChannelSftp looks() throws JSchException {
    if (looks == null || !looks.isConnected()) {
      looks = (ChannelSftp) session.openChannel("sftp");
      looks.connect(CONNECT_MILLIS);
    }
    return looks;
  }

  /** All that is in the folder, in the order of their times. */
  List<RemoteEntry> entries(String folder) throws JSchException, SftpException {
    List<RemoteEntry> entries = new ArrayList<>();
    List<ChannelSftp.LsEntry> links = new ArrayList<>();
    String path = folder.isEmpty() ? "." : folder;
    looks()
        .ls(
            quoted(path),
            entry -> {
              if (entry.getAttrs().isLink()) {
                links.add(entry); // no other request while the answer to this one comes
              } else {
                entries.add(plain(entry.getFilename(), entry.getAttrs()));
              }
              return ChannelSftp.LsEntrySelector.CONTINUE;
            });
    if (!links.isEmpty()) {
      Optional<String> root = end(path);
      for (ChannelSftp.LsEntry link : links) {
        entries.add(followed(root, link.getFilename()));
      }
    }
    entries.sort(
        Comparator.comparingLong(RemoteEntry::modifiedAtMillis).thenComparing(RemoteEntry::name));
    return entries;
  }

  @Override
  public SftpRemoteFile<?>[] listFiles(String path) {
    try {
      return entries(path).toArray(SftpRemoteFile[]::new);
    } catch (SftpException | JSchException e) {
      throw new GenericFileOperationFailedException("Cannot list directory: " + path, e);
    }
  }

  /** What is there under the name now; empty when nothing is. */
  Optional<RemoteEntry> look(String folder, String name) {
    try {
      String path = folder.isEmpty() ? "." : folder;
      SftpATTRS attributes = looks().lstat(quoted(path + "/" + name));
      return Optional.of(attributes.isLink() ? followed(end(path), name) : plain(name, attributes));
    } catch (SftpException e) {
      if (e.id == ChannelSftp.SSH_FX_NO_SUCH_FILE) {
        return Optional.empty();
      }
      throw SftpFailure.of("Cannot look at " + name, e);
    } catch (JSchException e) {
      throw SftpFailure.of("Cannot look at " + name, e);
    }
  }

  private static RemoteEntry plain(String name, SftpATTRS attributes) {
    return entry(name, attributes, false, true);
  }

  private static RemoteEntry entry(
      String name, SftpATTRS attributes, boolean isLink, boolean inside) {
    return new RemoteEntry(
        name, kind(attributes), attributes.getSize(), millis(attributes), isLink, inside);
  }

  private static long millis(SftpATTRS attributes) {
    return attributes.getMTime() * 1000L;
  }

  /** Servers of other systems than Unix may leave the kind of a file out. */
  private static Kind kind(SftpATTRS attributes) {
    if (attributes.isDir()) {
      return Kind.FOLDER;
    }
    boolean special =
        attributes.isFifo() || attributes.isChr() || attributes.isBlk() || attributes.isSock();
    return special ? Kind.SPECIAL : Kind.FILE;
  }

  /**
   * @param root the folder's own path without a link in it
   */
  private RemoteEntry followed(Optional<String> root, String name)
      throws JSchException, SftpException {
    Optional<String> end = root.isEmpty() ? root : end(root.get() + "/" + name);
    if (end.isEmpty()) {
      return new RemoteEntry(name, Kind.BROKEN_LINK, 0, 0, true, false);
    }
    String below = root.get().equals("/") ? "/" : root.get() + "/";
    return entry(name, looks().lstat(quoted(end.get())), true, end.get().startsWith(below));
  }

  /** Where the path leads; empty when that is not there or may not be looked at. */
  private Optional<String> end(String path) throws JSchException, SftpException {
    try {
      return Optional.of(resolved(path));
    } catch (SftpException e) {
      if (e.id == ChannelSftp.SSH_FX_NO_SUCH_FILE || e.id == ChannelSftp.SSH_FX_PERMISSION_DENIED) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * The path without links. Name by name: what servers answer to a realpath still has links in it,
   * or not.
   */
  private String resolved(String path) throws SftpException, JSchException {
    String absolute = path.startsWith("/") ? path : looks().realpath(".") + "/" + path;
    Deque<String> left = new ArrayDeque<>(names(absolute));
    List<String> done = new ArrayList<>();
    int links = 0;
    while (!left.isEmpty()) {
      String name = left.pop();
      if (name.equals("..")) {
        if (!done.isEmpty()) {
          done.remove(done.size() - 1);
        }
        continue;
      }
      done.add(name);
      String here = quoted("/" + String.join("/", done));
      if (!looks().lstat(here).isLink()) {
        continue;
      }
      if (++links > MAX_LINKS) {
        throw new SftpException(ChannelSftp.SSH_FX_NO_SUCH_FILE, path + " leads around in circles");
      }
      String target = looks().readlink(here);
      done.remove(done.size() - 1);
      if (target.startsWith("/")) {
        done.clear();
      }
      List<String> names = names(target);
      for (int i = names.size() - 1; i >= 0; i--) {
        left.push(names.get(i));
      }
    }
    return "/" + String.join("/", done);
  }

  private static List<String> names(String path) {
    List<String> names = new ArrayList<>();
    for (String name : path.split("/", -1)) {
      if (!name.isEmpty() && !name.equals(".")) {
        names.add(name);
      }
    }
    return names;
  }

  /** JSch takes paths for patterns. */
  private static String quoted(String path) {
    return path.replaceAll("[\\\\*?]", "\\\\$0");
  }
}
