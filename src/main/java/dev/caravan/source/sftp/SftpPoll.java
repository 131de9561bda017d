package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The looks into one folder, one after the other. After one that failed the next comes soon and
 * then later and later while the server is away, but only every five minutes when it refused us,
 * because servers lock accounts.
 */
public final class SftpPoll {

  private static final Logger LOG = LoggerFactory.getLogger(SftpPoll.class);

  private static final Duration FIRST_WAIT = Duration.ofSeconds(2);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

  /** A server that wastes the time of the polls has at most a quarter of it. */
  private static final int WAITS_FOR_EACH_LOOK = 3;

  private static final Duration REFUSED_WAIT = Duration.ofMinutes(5);

  private final SftpSource source;
  private final BiPredicate<FileStamp, Set<String>> complete;
  private final SftpFileGate gate;
  private final SftpJournal journal;
  private final Clock clock;
  private Instant notBefore = Instant.MIN;
  private Duration wait = FIRST_WAIT;
  private CaravanException last;
  private FailureCode told;

  /**
   * @param complete whether a file was written to its end, as the names of the folder say
   * @param journal is told when the server cannot be polled
   */
  public SftpPoll(
      SftpSource source,
      BiPredicate<FileStamp, Set<String>> complete,
      SftpFileGate gate,
      SftpJournal journal,
      Clock clock) {
    this.source = source;
    this.complete = complete;
    this.gate = gate;
    this.journal = journal;
    this.clock = clock;
  }

  /** The files that are to be loaded now, the oldest first; none when it is too early to look. */
  public List<FileStamp> run() {
    if (clock.instant().isBefore(notBefore)) {
      return List.of();
    }
    try {
      gate.startPoll();
    } catch (CaravanException e) {
      LOG.warn("{} is not polled now: {} {}", source, e.code(), e.getMessage());
      return List.of();
    }
    List<FileStamp> ready;
    Instant begin = clock.instant();
    try {
      List<RemoteEntry> entries = source.entries();
      Set<String> names = entries.stream().map(RemoteEntry::name).collect(Collectors.toSet());
      ready =
          entries.stream()
              .filter(gate::accept)
              .map(RemoteEntry::stamp)
              .filter(file -> complete.test(file, names))
              .toList();
    } catch (RuntimeException e) {
      failed(SftpFailure.of("Cannot poll " + source, e), begin);
      return List.of();
    } finally {
      gate.endPoll();
    }
    if (last != null) {
      LOG.info("Polling {} works again", source);
    }
    last = null;
    told = null;
    wait = FIRST_WAIT;
    return ready;
  }

  private void failed(CaravanException failure, Instant begin) {
    Instant now = clock.instant();
    Duration pause = failure.code().retryable() ? wait : REFUSED_WAIT;
    Duration least = Duration.between(begin, now).multipliedBy(WAITS_FOR_EACH_LOOK);
    pause = least.compareTo(pause) > 0 ? least : pause;
    notBefore = now.plus(pause);
    wait = wait.multipliedBy(2).compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait.multipliedBy(2);
    // Some servers end a listing with "no such file" when one of its files goes meanwhile; a folder
    // that is gone stays so.
    boolean again = last != null && last.code() == failure.code();
    if (failure.code() != told && (again || failure.code() != FailureCode.SOURCE_GONE)) {
      journal.unreachable(failure);
      told = failure.code();
    }
    last = failure;
    LOG.warn("{} {} Next try in {} s.", failure.code(), failure.getMessage(), pause.toSeconds());
  }
}
