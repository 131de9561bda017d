package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.outbox.EffectHandler;
import dev.caravan.outbox.Outcome;
import dev.caravan.outbox.RetrySchedule;
import dev.caravan.pgload.SqlFailure;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Carries out what stands in the outbox about loaded files: their moves, and looks at them after.
 */
public final class MoveFiles implements EffectHandler {

  private static final RetrySchedule RETRIES =
      RetrySchedule.doubling(Duration.ofSeconds(2), Duration.ofMinutes(1), Duration.ofDays(3));

  private final Find imports;
  private final Supplier<Set<String>> left;

  /** Finds a project by its key. */
  @FunctionalInterface
  public interface Find {
    /** Empty when there is none; fails while the database is away. */
    Optional<SftpImport> by(String key) throws SQLException;
  }

  /**
   * Of these projects.
   *
   * @param left keys of projects that are other nodes' to look after
   */
  public MoveFiles(Find imports, Supplier<Set<String>> left) {
    this.imports = imports;
    this.left = left;
  }

  @Override
  public Outcome run(UUID id, String payload) {
    FileMover.Payload what = Parameters.read(payload, FileMover.Payload.class);
    if (left.get().contains(what.project())) {
      return Outcome.busy();
    }
    try {
      Optional<SftpImport> project = imports.by(what.project());
      if (project.isEmpty()) {
        return Outcome.retry(
            null, "Project " + what.project() + " is not configured on this node.", Duration.ZERO);
      }
      project.get().mover().carryOut(what);
      return Outcome.done(null);
    } catch (CaravanException e) {
      return Outcome.retry(null, e.code() + " " + e.getMessage(), Duration.ZERO);
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot look up or note the move of " + what.file(), e);
    }
  }

  @Override
  public RetrySchedule retries() {
    return RETRIES;
  }
}
