package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.spi.PollingConsumerPollStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When a server is polled again after it could not be: soon and then later and later while it is
 * away, but only every five minutes when it refused us, because servers lock accounts.
 */
public final class SftpPollStrategy implements PollingConsumerPollStrategy {

  private static final Logger LOG = LoggerFactory.getLogger(SftpPollStrategy.class);

  private static final Duration FIRST_WAIT = Duration.ofSeconds(2);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
  private static final Duration REFUSED_WAIT = Duration.ofMinutes(5);

  private final SftpFileGate gate;
  private final SftpJournal journal;
  private final Clock clock;
  private Instant notBefore = Instant.MIN;
  private Duration wait = FIRST_WAIT;
  private CaravanException last;
  private FailureCode told;

  /** The gate is told when a listing begins, the journal when the server cannot be polled. */
  public SftpPollStrategy(SftpFileGate gate, SftpJournal journal, Clock clock) {
    this.gate = gate;
    this.journal = journal;
    this.clock = clock;
  }

  @Override
  public boolean begin(Consumer consumer, Endpoint endpoint) {
    if (clock.instant().isBefore(notBefore)) {
      return false;
    }
    try {
      gate.startPoll();
      return true;
    } catch (CaravanException e) {
      LOG.warn("{} is not polled now: {} {}", SftpServers.of(endpoint), e.code(), e.getMessage());
      return false;
    }
  }

  @Override
  public void commit(Consumer consumer, Endpoint endpoint, int polledMessages) {
    if (last != null) {
      LOG.info("Polling {} works again", SftpServers.of(endpoint));
    }
    last = null;
    told = null;
    wait = FIRST_WAIT;
  }

  @Override
  public boolean rollback(Consumer consumer, Endpoint endpoint, int retryCounter, Exception cause) {
    CaravanException failure = SftpFailure.of("Cannot poll " + SftpServers.of(endpoint), cause);
    Duration pause = failure.code().retryable() ? wait : REFUSED_WAIT;
    notBefore = clock.instant().plus(pause);
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
    return false;
  }
}
