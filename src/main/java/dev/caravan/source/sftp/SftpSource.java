package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.camel.CamelContext;
import org.apache.camel.component.file.remote.RemoteFileOperations;
import org.apache.camel.component.file.remote.SftpRemoteFile;

/**
 * The folder of one project on its server: what is in it, reading and moving single files of it.
 */
public final class SftpSource {

  private static final DateTimeFormatter SUFFIX =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS").withZone(ZoneOffset.UTC);

  private final SftpSessions sessions;
  private final SftpLogin login;
  private final String folder;
  private final boolean viaTempFile;
  private final boolean anyLink;
  private final Clock clock;

  /**
   * What became of a file that was to be moved.
   *
   * @param to its new path on the server; null unless it was moved, and for a link, which is
   *     removed
   */
  public record Moved(Move move, String to) {}

  /** How a move may end. */
  public enum Move {
    MOVED,
    /** It is not there any more; an earlier try may have moved it. */
    GONE,
    /** It is another file now, which stays where it is. */
    CHANGED
  }

  /** Asks the server something on an open session. */
  @FunctionalInterface
  interface SessionWork<T> {
    T with(RemoteFileOperations<SftpRemoteFile<?>> session);
  }

  /**
   * @param folder with a slash in front from the server's root, without from the login's home
   * @param viaTempFile whether a file is downloaded whole before it is loaded
   * @param anyLink whether links may lead out of the folder
   */
  public SftpSource(
      SftpSessions sessions,
      SftpLogin login,
      String folder,
      boolean viaTempFile,
      boolean anyLink,
      Clock clock) {
    this.sessions = sessions;
    this.login = login;
    this.folder = folder;
    this.viaTempFile = viaTempFile;
    this.anyLink = anyLink;
    this.clock = clock;
  }

  /** A session that nobody else uses; to be given back or given up. */
  RemoteFileOperations<SftpRemoteFile<?>> borrow() {
    return sessions.borrow(login);
  }

  /** The session is free and in order. */
  void giveBack(RemoteFileOperations<SftpRemoteFile<?>> session) {
    sessions.giveBack(login, session);
  }

  /** The session is not to be used again. */
  void giveUp(RemoteFileOperations<SftpRemoteFile<?>> session) {
    sessions.giveUp(login, session);
  }

  private <T> T inSession(String what, SessionWork<T> work) {
    return sessions.inSession(login, what, work);
  }

  /** The file as the body of a message: opened when a step asks for its bytes. */
  public SftpFile file(FileStamp stamp) {
    return new SftpFile(this, stamp, viaTempFile);
  }

  /**
   * What a look into the folder shows.
   *
   * @param files that may be loaded, in the order of their times
   * @param passedOver what is there beside folders and hidden files, each as {@code name: why not}
   */
  public record Listing(List<FileStamp> files, List<String> passedOver) {}

  /** Looks into the folder. */
  public Listing look() {
    List<FileStamp> files = new ArrayList<>();
    List<String> passedOver = new ArrayList<>();
    for (RemoteEntry entry : entries()) {
      Optional<String> refusal = entry.refusal(anyLink);
      if (refusal.isEmpty()) {
        files.add(entry.stamp());
      } else if (!entry.isAside()) {
        passedOver.add(entry.printable() + ": " + refusal.get());
      }
    }
    return new Listing(files, passedOver);
  }

  /** All that is in the folder, in the order of their times. */
  List<RemoteEntry> entries() {
    return inSession(
        "Cannot list " + this,
        session -> {
          List<RemoteEntry> shown = new ArrayList<>();
          for (SftpRemoteFile<?> entry : session.listFiles(folder)) {
            shown.add((RemoteEntry) entry);
          }
          return shown;
        });
  }

  /** The files of the folder that may be loaded, in the order of their times. */
  public List<FileStamp> list() {
    return look().files();
  }

  /**
   * Those of the named files that are there, as they are now.
   *
   * @throws CaravanException SOURCE_DENIED when one is nothing that may be opened
   */
  public List<FileStamp> find(List<String> names) {
    return inSession(
        "Cannot look for " + names,
        session -> names.stream().flatMap(name -> stat(session, name).stream()).toList());
  }

  CamelContext context() {
    return sessions.context();
  }

  String path(String name) {
    return folder.isEmpty() || folder.endsWith("/") ? folder + name : folder + "/" + name;
  }

  /**
   * The file as it is now; empty when it is not there.
   *
   * @throws CaravanException SOURCE_DENIED when it is nothing that may be opened
   */
  Optional<FileStamp> stat(RemoteFileOperations<SftpRemoteFile<?>> session, String name) {
    Optional<RemoteEntry> entry = entry(session, name);
    Optional<String> refusal = entry.flatMap(e -> e.refusal(anyLink));
    if (refusal.isPresent()) {
      throw new CaravanException(
          FailureCode.SOURCE_DENIED,
          "%s is not read: %s.".formatted(entry.get().printable(), refusal.get()));
    }
    return entry.map(RemoteEntry::stamp);
  }

  private Optional<RemoteEntry> entry(
      RemoteFileOperations<SftpRemoteFile<?>> session, String name) {
    return ((FolderOperations) (RemoteFileOperations<?>) session).look(folder, name);
  }

  /**
   * Moves a file away, if it is still the same.
   *
   * @param doneFolder below the polled folder or, with a slash in front, from the root
   * @param marker the file that said that it was complete; deleted with the move
   */
  public Moved move(FileStamp file, String doneFolder, Optional<String> marker) {
    return inSession(
        "Cannot move " + file.name() + " to " + doneFolder,
        session -> {
          Optional<RemoteEntry> now = entry(session, file.name());
          if (now.isEmpty()) {
            return new Moved(Move.GONE, null);
          }
          if (now.get().refusal(anyLink).isPresent() || !now.get().stamp().equals(file)) {
            return new Moved(Move.CHANGED, null);
          }
          if (now.get().isLink()) {
            session.deleteFile(path(file.name())); // what it leads to is not ours to move
            marker.ifPresent(name -> session.deleteFile(path(name)));
            return new Moved(Move.MOVED, null);
          }
          String target = doneFolder.startsWith("/") ? doneFolder : path(doneFolder);
          String to = target + "/" + file.name();
          session.buildDirectory(target, target.startsWith("/"));
          if (session.existsFile(to)) {
            to = to + "." + SUFFIX.format(clock.instant());
          }
          session.renameFile(path(file.name()), to);
          marker.ifPresent(name -> session.deleteFile(path(name)));
          return new Moved(Move.MOVED, to);
        });
  }

  /** Size of a file that was moved, by the path that its move told; empty when it is not there. */
  public OptionalLong sizeOf(String path) {
    return inSession(
        "Cannot look at " + path,
        session -> {
          int name = path.lastIndexOf('/');
          return ((FolderOperations) (RemoteFileOperations<?>) session)
              .look(path.substring(0, name), path.substring(name + 1))
              .map(entry -> OptionalLong.of(entry.size()))
              .orElse(OptionalLong.empty());
        });
  }

  /** sftp://user@host:port/folder */
  @Override
  public String toString() {
    return login.shown(folder);
  }
}
