package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.outbox.EffectHandler;
import dev.caravan.outbox.Outcome;
import dev.caravan.outbox.RetrySchedule;
import dev.caravan.pgload.SqlFailure;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Carries out what stands in the outbox about loaded files: their moves, and looks at them after.
 */
public final class MoveFiles implements EffectHandler {

  private static final RetrySchedule RETRIES =
      RetrySchedule.doubling(Duration.ofSeconds(2), Duration.ofMinutes(1), Duration.ofDays(3));

  private final Function<String, Optional<FileMover>> movers;

  /** By the keys of their projects. */
  public MoveFiles(Function<String, Optional<FileMover>> movers) {
    this.movers = movers;
  }

  @Override
  public Outcome run(UUID id, String payload) {
    FileMover.Payload what = Parameters.read(payload, FileMover.Payload.class);
    Optional<FileMover> mover = movers.apply(what.project());
    if (mover.isEmpty()) {
      return Outcome.retry(
          null, "Project " + what.project() + " is not configured on this node.", Duration.ZERO);
    }
    try {
      mover.get().carryOut(what);
      return Outcome.done(null);
    } catch (CaravanException e) {
      return Outcome.retry(null, e.code() + " " + e.getMessage(), Duration.ZERO);
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot note that a file was moved", e);
    }
  }

  @Override
  public RetrySchedule retries() {
    return RETRIES;
  }
}
