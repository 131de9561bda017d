package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpJournal;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What one project's polls must remember stands in the job tables. */
final class ImportJournal implements SftpJournal {

  private static final Logger LOG = LoggerFactory.getLogger(ImportJournal.class);

  /** Kind of the job that stands for polls that failed. */
  static final String KIND = "poll-sftp";

  private final String tenant;
  private final String project;
  private final JdbcJobRepository jobs;

  ImportJournal(String tenant, String project, JdbcJobRepository jobs) {
    this.tenant = tenant;
    this.project = project;
    this.jobs = jobs;
  }

  @Override
  public Set<FileStamp> taken() {
    try {
      return jobs.taken(project).stream().map(ImportJobs::stamp).collect(Collectors.toSet());
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot look up what was loaded of project " + project, e);
    }
  }

  @Override
  public void unreachable(CaravanException cause) {
    UUID id = UUID.randomUUID();
    try {
      jobs.start(id, KIND, tenant, project);
      jobs.end(
          new JobEnd(
              id, KIND, project, JobState.FAILED, 1, cause.code(), cause.getMessage(), List.of()),
          0);
    } catch (SQLException e) {
      LOG.error("The failed poll of project {} could not be written: {}", project, e.getMessage());
    }
  }
}
