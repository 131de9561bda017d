package dev.caravan.imports;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caravan.failure.FailureCode;
import dev.caravan.failure.FaultPoint;
import dev.caravan.job.Effect;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.SftpConfig.AfterLoad;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.source.sftp.SftpSource.Move;
import dev.caravan.source.sftp.SftpSource.Moved;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves loaded files of one project away. The wish to move is committed before, so that any node
 * can make up for it; a file that was moved already, or is another one now, is let be.
 */
public final class FileMover {

  /** Kind of the effect. */
  public static final String KIND = "move_file";

  private static final Logger LOG = LoggerFactory.getLogger(FileMover.class);

  private final String tenant;
  private final ProjectConfig project;
  private final Supplier<SftpSource> source;
  private final JdbcJobRepository jobs;

  /** Kind of the effect that looks at a moved file once more, and of the job that tells of one. */
  public static final String CHECK_KIND = "check_file";

  /** A file that has settled is looked at again after so many times as long. */
  private static final int CHECK_AFTER = 10;

  /**
   * What the outbox keeps.
   *
   * @param movedTo where the file is now, to be looked at; null for one that is to be moved
   */
  record Payload(
      UUID job, String project, String file, long size, long modifiedAtMillis, String movedTo) {}

  FileMover(
      String tenant, ProjectConfig project, Supplier<SftpSource> source, JdbcJobRepository jobs) {
    this.tenant = tenant;
    this.project = project;
    this.source = source;
    this.jobs = jobs;
  }

  /** What is to happen because the file of a job is loaded. */
  List<Effect> effects(UUID job, FileStamp file) {
    if (project.sftp().afterLoad() == AfterLoad.KEEP) {
      return List.of();
    }
    Payload payload =
        new Payload(
            job,
            project.project(),
            file.name(),
            file.size(),
            file.modifiedAt().toEpochMilli(),
            null);
    return List.of(new Effect(KIND, Parameters.write(payload)));
  }

  /** Moves the file, or looks at one that was moved. */
  void carryOut(Payload what) throws SQLException {
    if (what.movedTo() == null) {
      move(what);
    } else {
      check(what);
    }
  }

  /**
   * Moves the file.
   *
   * @throws dev.caravan.failure.CaravanException when the server cannot be reached or refuses
   */
  private void move(Payload what) throws SQLException {
    FileStamp file =
        new FileStamp(what.file(), what.size(), Instant.ofEpochMilli(what.modifiedAtMillis()));
    FaultPoint.hit("K12");
    Moved moved =
        source
            .get()
            .move(
                file,
                project.sftp().moveTo(),
                project.sftp().doneMarker().map(marker -> marker.markerOf(file.name())));
    FaultPoint.hit("K13");
    if (moved.move() == Move.CHANGED) {
      LOG.warn("{} changed after it was loaded; it stays and is loaded again", file.name());
    }
    SourceFile stamp = ImportJobs.source(file);
    jobs.gone(
        what.job(),
        project.project(),
        stamp,
        moved.move() != Move.CHANGED,
        moved.to() == null ? List.of() : later(what, moved.to()));
  }

  /** Who writes a file keeps it open over a move, and what comes then is in no load. */
  private List<Effect> later(Payload what, String movedTo) {
    Duration stable = project.sftp().stable();
    if (stable.isZero()) {
      return List.of(); // its files appear whole
    }
    Payload payload =
        new Payload(
            what.job(), what.project(), what.file(), what.size(), what.modifiedAtMillis(), movedTo);
    return List.of(
        new Effect(CHECK_KIND, Parameters.write(payload), stable.multipliedBy(CHECK_AFTER)));
  }

  /** A file that grew after its move is told as a failed job: nobody else would notice. */
  private void check(Payload what) throws SQLException {
    long size = source.get().sizeOf(what.movedTo()).orElse(what.size());
    if (size == what.size()) {
      return;
    }
    UUID id = UUID.nameUUIDFromBytes(("check " + what.job() + what.movedTo()).getBytes(UTF_8));
    String message =
        "%s was still being written when it was loaded: it had %d bytes then and has %d now, in %s. Move it back into the folder to load it whole, and give the project a longer stable_seconds or a done_marker."
            .formatted(what.file(), what.size(), size, what.movedTo());
    jobs.start(id, CHECK_KIND, tenant, project.project());
    jobs.end(
        new JobEnd(
            id,
            CHECK_KIND,
            project.project(),
            JobState.FAILED,
            1,
            FailureCode.SOURCE_CHANGED,
            message,
            List.of()),
        0);
  }
}
