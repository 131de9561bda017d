package dev.caravan.embedded;

import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.util.NavigableMap;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.common.util.io.IoUtils;
import org.apache.sshd.sftp.server.DirectoryHandle;
import org.apache.sshd.sftp.server.FileHandle;
import org.apache.sshd.sftp.server.SftpFileSystemAccessor;
import org.apache.sshd.sftp.server.SftpSubsystemProxy;

/**
 * Lets SFTP clients see the files and folders that are really inside the root. MINA's own virtual
 * root stops {@code ..} but follows a symbolic link wherever it leads.
 */
final class JailedFiles implements SftpFileSystemAccessor {

  private final Path root;

  /**
   * @param root a real path
   */
  JailedFiles(Path root) {
    this.root = root;
  }

  /** Every path that a client names comes through here first. */
  @Override
  public Path resolveLocalFilePath(
      SftpSubsystemProxy subsystem, Path virtualRoot, String remotePath) throws IOException {
    Path path =
        SftpFileSystemAccessor.super.resolveLocalFilePath(subsystem, virtualRoot, remotePath);
    if (!isInside(IoUtils.chroot(root, path.toAbsolutePath()))) {
      throw new AccessDeniedException(remotePath);
    }
    return path;
  }

  /**
   * Names in a listing don't come from the client: leaves out the links that lead outside, and
   * pipes and devices, for which the protocol of MINA has no word.
   */
  @Override
  public DirectoryStream<Path> openDirectory(
      SftpSubsystemProxy subsystem,
      DirectoryHandle handle,
      Path directory,
      String name,
      LinkOption... options)
      throws IOException {
    // What Files.newDirectoryStream does; MINA closes the stream with the handle.
    return directory.getFileSystem().provider().newDirectoryStream(directory, this::mayBeListed);
  }

  private boolean mayBeListed(Path entry) throws IOException {
    return isFileOrFolder(entry) && (!Files.isSymbolicLink(entry) || isInside(entry));
  }

  private static boolean isFileOrFolder(Path path) {
    return Files.isRegularFile(path) || Files.isDirectory(path);
  }

  /** A pipe would keep the thread of its reader for ever. */
  @Override
  public SeekableByteChannel openFile(
      SftpSubsystemProxy subsystem,
      FileHandle handle,
      Path file,
      String name,
      Set<? extends OpenOption> options,
      FileAttribute<?>... attributes)
      throws IOException {
    if (Files.exists(file) && !isFileOrFolder(file)) {
      throw new AccessDeniedException(file.toString());
    }
    return SftpFileSystemAccessor.super.openFile(
        subsystem, handle, file, name, options, attributes);
  }

  /** Times are seconds in 32 bits on the line; MINA ends a listing at one that does not fit. */
  @Override
  public NavigableMap<String, Object> resolveReportedFileAttributes(
      SftpSubsystemProxy subsystem,
      Path file,
      int flags,
      NavigableMap<String, Object> attributes,
      LinkOption... options)
      throws IOException {
    attributes.replaceAll((name, value) -> value instanceof FileTime time ? fitting(time) : value);
    return attributes;
  }

  private static FileTime fitting(FileTime time) {
    long seconds = time.to(TimeUnit.SECONDS);
    return seconds >= 0 && seconds <= Integer.MAX_VALUE
        ? time
        : FileTime.from(seconds < 0 ? 0 : Integer.MAX_VALUE, TimeUnit.SECONDS);
  }

  @Override
  public void createLink(SftpSubsystemProxy subsystem, Path link, Path existing, boolean symbolic)
      throws IOException {
    throw new AccessDeniedException(link.toString(), null, "links cannot be made here");
  }

  /** A file that is yet to be made is where its directory is; a dangling link is nowhere. */
  private boolean isInside(Path path) throws IOException {
    Path existing = path;
    while (Files.notExists(existing, LinkOption.NOFOLLOW_LINKS)) {
      existing = existing.getParent();
    }
    return existing.toRealPath().startsWith(root);
  }
}
