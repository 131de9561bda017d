package dev.caravan.source.sftp;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.camel.component.file.GenericFile;
import org.apache.camel.component.file.GenericFileFilter;
import org.apache.camel.component.file.remote.SftpRemoteFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a file through when it is one of the project's, has a safe name, has not changed between two
 * polls, and is not held back after a failure. It remembers only what the last listing showed.
 */
public final class SftpFileGate implements GenericFileFilter<SftpRemoteFile<?>> {

  private static final Logger LOG = LoggerFactory.getLogger(SftpFileGate.class);

  private static final int MAX_NAME_BYTES = 255;

  /** Held until the file changes or Caravan starts again. */
  static final Duration UNTIL_CHANGED = Duration.ofDays(36_500);

  private final Predicate<String> wanted;
  private final Predicate<FileStamp> leftInPlace;
  private final Clock clock;
  private Map<String, Seen> before = new HashMap<>();
  private Map<String, Seen> now = new HashMap<>();

  private static final class Seen {
    private final FileStamp stamp;
    private Instant heldUntil = Instant.MIN;

    Seen(FileStamp stamp) {
      this.stamp = stamp;
    }
  }

  /**
   * @param wanted tells by name whether the project has a table for the file
   * @param leftInPlace tells whether the file was loaded and stays where it is
   */
  public SftpFileGate(Predicate<String> wanted, Predicate<FileStamp> leftInPlace, Clock clock) {
    this.wanted = wanted;
    this.leftInPlace = leftInPlace;
    this.clock = clock;
  }

  /** A new listing begins: what it does not show is forgotten. */
  void startPoll() {
    before = now;
    now = new HashMap<>();
  }

  @Override
  public boolean accept(GenericFile<SftpRemoteFile<?>> file) {
    String name = file.getFileNameOnly();
    if (file.isDirectory() || !isSafe(name) || !wanted.test(name)) {
      return false;
    }
    FileStamp stamp = FileStamp.of(file);
    Seen seen = before.get(name);
    if (seen == null || !seen.stamp.equals(stamp)) {
      now.put(name, new Seen(stamp));
      return false; // it may still be growing: look again at the next poll
    }
    now.put(name, seen);
    if (clock.instant().isBefore(seen.heldUntil)) {
      return false;
    }
    if (leftInPlace.test(stamp)) {
      seen.heldUntil = clock.instant().plus(UNTIL_CHANGED);
      return false;
    }
    return true;
  }

  /** Holds the file back for a while; a changed file is a new one and is not held. */
  void hold(String name, Duration duration) {
    Seen seen = now.get(name);
    if (seen != null) {
      seen.heldUntil = clock.instant().plus(duration);
    }
  }

  /**
   * Names are the server's word. One that could be taken for a path, a pattern or an expression is
   * passed over; the listing goes on.
   */
  private boolean isSafe(String name) {
    boolean safe =
        !name.isEmpty()
            && !name.startsWith(".")
            && name.getBytes(java.nio.charset.StandardCharsets.UTF_8).length <= MAX_NAME_BYTES
            && name.chars().allMatch(SftpFileGate::isSafe);
    if (!safe && !name.startsWith(".") && !before.containsKey(name)) {
      LOG.warn("Passed over a file with an unsafe name: {}", name.replaceAll("\\p{Cntrl}", "?"));
    }
    if (!safe) {
      now.put(name, new Seen(new FileStamp(name, 0, Instant.EPOCH)));
    }
    return safe;
  }

  private static boolean isSafe(int c) {
    return !Character.isISOControl(c) && "/\\*?[]\ufffd".indexOf(c) < 0;
  }
}
