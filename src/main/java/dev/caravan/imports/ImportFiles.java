package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.camel.FileRecorder;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.project.ProjectConfig;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpFile;
import dev.caravan.source.sftp.SftpFileGate;
import dev.caravan.source.sftp.SftpSource;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** First step of an import: which files it loads. The body becomes their list. */
final class ImportFiles implements Processor {

  /** Exchange property: what the job was told. */
  static final String PARAMETERS = "CaravanImportParameters";

  private final ProjectConfig project;
  private final SftpSource source;
  private final SftpFileGate gate;
  private final LoadOrder order;
  private final JdbcJobRepository jobs;

  ImportFiles(
      ProjectConfig project,
      SftpSource source,
      SftpFileGate gate,
      LoadOrder order,
      JdbcJobRepository jobs) {
    this.project = project;
    this.source = source;
    this.gate = gate;
    this.order = order;
    this.jobs = jobs;
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException {
    ImportParameters parameters =
        Parameters.read(exchange.getMessage().getBody(String.class), ImportParameters.class);
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    Set<String> loaded = loaded(job);
    List<String> named = parameters.files().stream().filter(f -> !loaded.contains(f)).toList();
    List<FileStamp> files =
        parameters.files().isEmpty() ? ready(exchange, job, loaded) : named(job, named);
    exchange.setProperty(PARAMETERS, parameters);
    boolean single = parameters.files().size() == 1;
    UUID id = job.attempt().jobId();
    exchange
        .getMessage()
        .setBody(order.of(files, FileStamp::name).stream().map(f -> file(f, single, id)).toList());
  }

  private List<FileStamp> named(RunningJob job, List<String> named) {
    List<FileStamp> found = source.find(named);
    requireAll(named, found, FailureCode.SOURCE_GONE, "are on the server");
    List<FileStamp> files = take(job, found, false);
    requireAll(named, files, FailureCode.SOURCE_CHANGED, "have no other job");
    return files;
  }

  private ImportFile file(FileStamp stamp, boolean single, UUID job) {
    SftpFile file = source.file(stamp);
    return new ImportFile(stamp, ImportFile.loadId(job, stamp.name(), single), file, file::abort);
  }

  /** What an earlier attempt loaded may be moved away by now. */
  private Set<String> loaded(RunningJob job) {
    try {
      return job.attempt().epoch() == 1 ? Set.of() : jobs.loaded(job.attempt().jobId());
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot look up what job " + job.attempt().jobId() + " loaded", e);
    }
  }

  private static void requireAll(
      List<String> named, List<FileStamp> files, FailureCode code, String what) {
    if (files.size() < named.size()) {
      throw new CaravanException(
          code,
          "Of the files %s only %s %s."
              .formatted(named, files.stream().map(FileStamp::name).toList(), what));
    }
  }

  /** A file that is not ready yet is left for the next import. */
  private List<FileStamp> ready(Exchange exchange, RunningJob job, Set<String> loaded)
      throws InterruptedException {
    Set<FileStamp> taken = gate.taken();
    ReadyFiles.Found found =
        new ReadyFiles(project, source, file -> taken.contains(file) || gate.hasSettled(file))
            .find(job);
    List<FileStamp> wanted =
        found.files().stream()
            .filter(file -> gate.isWanted(file.name()) && !loaded.contains(file.name()))
            .toList();
    List<FileStamp> files = take(job, wanted, project.sftp().byContent());
    List<String> notes = new ArrayList<>(found.left());
    if (files.isEmpty() && !wanted.isEmpty()) {
      notes.add("All %d files have a job, or had one and did not change".formatted(wanted.size()));
    }
    ReadyFiles.text(notes).ifPresent(text -> FileRecorder.note(exchange, text));
    return files;
  }

  private List<FileStamp> take(RunningJob job, List<FileStamp> files, boolean again) {
    List<SourceFile> sources = files.stream().map(ImportJobs::source).toList();
    try {
      return jobs.take(job.attempt().jobId(), project.project(), sources, again).stream()
          .map(ImportJobs::stamp)
          .toList();
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot take the files of project " + project.project(), e);
    }
  }
}
