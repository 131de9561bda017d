package dev.caravan.source.sftp;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a file through when it is one of the project's, may be opened, has settled, and has no job
 * yet. It remembers only what the last listing showed.
 */
public final class SftpFileGate {

  private static final Logger LOG = LoggerFactory.getLogger(SftpFileGate.class);

  private final Predicate<String> wanted;
  private final SftpJournal journal;
  private final Rules rules;
  private final LongSupplier nanos;
  private Map<String, Seen> before = new HashMap<>();
  private Map<String, Seen> now = new HashMap<>();
  private Set<FileStamp> taken = Set.of();

  /**
   * What a project says of its files.
   *
   * @param stable how long a file must have been the same, as this gate saw it; zero for two polls
   * @param anyLink whether links may lead out of the folder
   */
  public record Rules(Duration stable, boolean anyLink) {}

  /** A file, and since when it looks so; with an empty stamp one that was passed over. */
  private record Seen(Optional<FileStamp> stamp, long sinceNanos) {}

  /**
   * @param wanted tells by name whether the project has a table for the file
   * @param nanos a clock such as {@link System#nanoTime}
   */
  public SftpFileGate(
      Predicate<String> wanted, SftpJournal journal, Rules rules, LongSupplier nanos) {
    this.wanted = wanted;
    this.journal = journal;
    this.rules = rules;
    this.nanos = nanos;
  }

  /** A new listing begins: what it does not show is forgotten. */
  synchronized void startPoll() {
    taken = journal.taken();
    before = now;
    now = new HashMap<>();
  }

  /** The listing is over; what has a job is looked up anew for the next. */
  synchronized void endPoll() {
    taken = Set.of();
  }

  /** Whether this one of the listing is to be loaded now. */
  synchronized boolean accept(RemoteEntry entry) {
    String name = entry.name();
    if (!wanted.test(name)) {
      return false;
    }
    Optional<String> refusal = entry.refusal(rules.anyLink());
    if (refusal.isPresent()) {
      passOver(entry, refusal.get());
      return false;
    }
    FileStamp stamp = entry.stamp();
    Seen seen = before.get(name);
    boolean same = seen != null && seen.stamp().equals(Optional.of(stamp));
    now.put(name, same ? seen : new Seen(Optional.of(stamp), nanos.getAsLong()));
    // One that was not there or different a moment ago may still be growing.
    return same && hasSettled(seen) && !taken.contains(stamp);
  }

  private boolean hasSettled(Seen seen) {
    return nanos.getAsLong() - seen.sinceNanos() >= rules.stable().toNanos();
  }

  /** Whether the last polls saw the file in this state for as long as it has to be in it. */
  public synchronized boolean hasSettled(FileStamp file) {
    Seen seen = now.getOrDefault(file.name(), before.get(file.name()));
    return seen != null && seen.stamp().equals(Optional.of(file)) && hasSettled(seen);
  }

  /** The listing goes on without it; it is told once. */
  private void passOver(RemoteEntry entry, String why) {
    if (!entry.isAside() && !before.containsKey(entry.name())) {
      LOG.warn("Passed over {}: {}", entry.printable(), why);
    }
    now.put(entry.name(), new Seen(Optional.empty(), nanos.getAsLong()));
  }
}
