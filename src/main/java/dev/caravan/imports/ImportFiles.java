package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.camel.JobLoads;
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
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Step of an import: which files it loads. The body becomes their list. */
final class ImportFiles implements Processor {

  /** Exchange property: what the job was told. */
  static final String PARAMETERS = "CaravanImportParameters";

  private final JdbcJobRepository jobs;
  private final Function<String, Optional<SftpFileGate>> gates;

  /**
   * @param gates what the polls of a project have seen, by its key; empty for one that is not
   *     polled
   */
  ImportFiles(JdbcJobRepository jobs, Function<String, Optional<SftpFileGate>> gates) {
    this.gates = gates;
    this.jobs = jobs;
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException {
    ImportParameters parameters =
        Parameters.read(exchange.getMessage().getBody(String.class), ImportParameters.class);
    SftpSource source = SftpImport.of(exchange).source();
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    Set<String> loaded = loaded(job);
    List<String> named = parameters.files().stream().filter(f -> !loaded.contains(f)).toList();
    List<FileStamp> files =
        parameters.files().isEmpty()
            ? ready(exchange, job, source, loaded)
            : named(job, source, named);
    exchange.setProperty(PARAMETERS, parameters);
    boolean single = parameters.files().size() == 1;
    UUID id = job.attempt().jobId();
    exchange
        .getMessage()
        .setBody(
            SftpImport.of(exchange).order().of(files, FileStamp::name).stream()
                .map(f -> file(source, f, single, id))
                .toList());
  }

  private List<FileStamp> named(RunningJob job, SftpSource source, List<String> named) {
    List<FileStamp> found = source.find(named);
    requireAll(named, found, FailureCode.SOURCE_GONE, "are on the server");
    List<FileStamp> files = take(job, found, false);
    requireAll(named, files, FailureCode.SOURCE_CHANGED, "have no other job");
    return files;
  }

  private static ImportFile file(SftpSource source, FileStamp stamp, boolean single, UUID job) {
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
  private List<FileStamp> ready(
      Exchange exchange, RunningJob job, SftpSource source, Set<String> loaded)
      throws InterruptedException {
    ProjectConfig project = SftpImport.of(exchange).project();
    Set<FileStamp> taken =
        new ImportJournal(job.attempt().tenant(), project.project(), jobs).taken();
    Optional<SftpFileGate> gate = gates.apply(project.project());
    Predicate<FileStamp> settled =
        file -> taken.contains(file) || gate.filter(g -> g.hasSettled(file)).isPresent();
    ReadyFiles.Found found = new ReadyFiles(project, source, settled).find(job);
    List<FileStamp> wanted =
        found.files().stream().filter(file -> !loaded.contains(file.name())).toList();
    List<FileStamp> files = take(job, wanted, project.sftp().byContent());
    List<String> notes = new ArrayList<>(found.left());
    if (files.isEmpty() && !wanted.isEmpty()) {
      notes.add("All %d files have a job, or had one and did not change".formatted(wanted.size()));
    }
    ReadyFiles.text(notes).ifPresent(text -> JobLoads.of(exchange).note(text));
    return files;
  }

  private List<FileStamp> take(RunningJob job, List<FileStamp> files, boolean again) {
    List<SourceFile> sources = files.stream().map(ImportJobs::source).toList();
    try {
      return jobs.take(job.attempt().jobId(), job.attempt().project(), sources, again).stream()
          .map(ImportJobs::stamp)
          .toList();
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot take the files of project " + job.attempt().project(), e);
    }
  }
}
