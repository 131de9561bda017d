package dev.caravan.source.sftp;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.camel.component.file.GenericFile;
import org.apache.camel.component.file.GenericFileFilter;
import org.apache.camel.component.file.remote.SftpRemoteFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a file through when it is one of the project's, has a safe name, has not changed between two
 * polls, and has no job yet. It remembers only what the last listing showed.
 */
public final class SftpFileGate implements GenericFileFilter<SftpRemoteFile<?>> {

  private static final Logger LOG = LoggerFactory.getLogger(SftpFileGate.class);

  private static final int MAX_NAME_BYTES = 255;

  /**
   * Camel puts the name of the file into that of its marker, and refuses all that it holds then.
   */
  private static final Pattern EXPRESSION = Pattern.compile("\\$(simple)?\\{");

  private final Predicate<String> wanted;
  private final SftpJournal journal;
  private final boolean marked;
  private Map<String, FileStamp> before = new HashMap<>();
  private Map<String, FileStamp> now = new HashMap<>();
  private Set<FileStamp> taken = Set.of();

  /**
   * @param wanted tells by name whether the project has a table for the file
   * @param marked whether the endpoint looks for a marker beside each file
   */
  public SftpFileGate(Predicate<String> wanted, SftpJournal journal, boolean marked) {
    this.wanted = wanted;
    this.journal = journal;
    this.marked = marked;
  }

  /** A new listing begins: what it does not show is forgotten. */
  void startPoll() {
    taken = journal.taken();
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
    now.put(name, stamp);
    // One that was not there or different a moment ago may still be growing.
    return stamp.equals(before.get(name)) && !taken.contains(stamp);
  }

  /** True for a file that may be loaded when somebody asks for it. */
  public boolean isWanted(String name) {
    return hasSafeName(name) && wanted.test(name);
  }

  /** The listing goes on without a file that has an unsafe name; it is told once. */
  private boolean isSafe(String name) {
    boolean safe = hasSafeName(name);
    if (!safe) {
      if (!name.startsWith(".") && !before.containsKey(name)) {
        LOG.warn("Passed over a file with an unsafe name: {}", name.replaceAll("\\p{Cntrl}", "?"));
      }
      now.put(name, new FileStamp(name, 0, Instant.EPOCH));
    }
    return safe;
  }

  /** Names are the server's word: none that could be taken for a path, pattern or expression. */
  private boolean hasSafeName(String name) {
    return !name.isEmpty()
        && !(marked && EXPRESSION.matcher(name).find())
        && !name.startsWith(".")
        && name.getBytes(java.nio.charset.StandardCharsets.UTF_8).length <= MAX_NAME_BYTES
        && name.chars().allMatch(SftpFileGate::isSafe);
  }

  private static boolean isSafe(int c) {
    return !Character.isISOControl(c) && "/\\*?[]\ufffd".indexOf(c) < 0;
  }
}
