package dev.caravan.imports;

import dev.caravan.failure.FaultPoint;
import dev.caravan.job.Effect;
import dev.caravan.job.FileResult;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.SftpConfig.AfterLoad;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.source.sftp.SftpSource.Move;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
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

  private final ProjectConfig project;
  private final SftpSource source;
  private final JdbcJobRepository jobs;

  /** What the outbox keeps. */
  record Payload(UUID job, String project, String file, long size, long modifiedAtMillis) {}

  FileMover(ProjectConfig project, SftpSource source, JdbcJobRepository jobs) {
    this.project = project;
    this.source = source;
    this.jobs = jobs;
  }

  /** What is to happen because the file of a job is loaded. */
  List<Effect> effects(UUID job, FileResult file) {
    if (project.sftp().afterLoad() == AfterLoad.KEEP) {
      return List.of();
    }
    Payload payload =
        new Payload(
            job, project.project(), file.file(), file.size(), file.modifiedAt().toEpochMilli());
    return List.of(new Effect(KIND, Parameters.write(payload)));
  }

  /**
   * Moves the file.
   *
   * @throws dev.caravan.failure.CaravanException when the server cannot be reached or refuses
   */
  void move(Payload what) throws SQLException {
    FileStamp file =
        new FileStamp(what.file(), what.size(), Instant.ofEpochMilli(what.modifiedAtMillis()));
    FaultPoint.hit("K12");
    Move move =
        source.move(
            file,
            project.sftp().moveTo(),
            project.sftp().doneMarker().map(marker -> marker.markerOf(file.name())));
    FaultPoint.hit("K13");
    if (move == Move.CHANGED) {
      LOG.warn("{} changed after it was loaded; it stays and is loaded again", file.name());
    }
    SourceFile stamp = ImportJobs.source(file);
    jobs.gone(what.job(), project.project(), stamp, move != Move.CHANGED);
  }
}
