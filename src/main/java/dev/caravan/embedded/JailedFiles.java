package dev.caravan.embedded;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.apache.sshd.common.util.io.IoUtils;
import org.apache.sshd.sftp.server.DirectoryHandle;
import org.apache.sshd.sftp.server.SftpFileSystemAccessor;
import org.apache.sshd.sftp.server.SftpSubsystemProxy;

/**
 * Lets SFTP clients see what is really inside the root. MINA's own virtual root stops {@code ..}
 * but follows a symbolic link wherever it leads.
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

  /** Names in a listing don't come from the client: leaves out the links that lead outside. */
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
    return !Files.isSymbolicLink(entry) || (Files.exists(entry) && isInside(entry));
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
