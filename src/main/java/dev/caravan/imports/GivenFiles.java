package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Attempt;
import dev.caravan.job.camel.JobLoads;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.SftpConfig;
import dev.caravan.setup.SftpOverrides;
import dev.caravan.source.entry.AllowedFolder;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpFile;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.upload.StoredUpload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Exchange;

/**
 * The files that a call names instead of those of its project's folder: uploads, local files, or
 * those of another server or folder than the project's. They stay where they are.
 */
public final class GivenFiles {

  private final SftpImport.Surroundings around;
  private final SftpImport of;
  private final String tenant;
  private final ProjectConfig project;
  private final LoadOrder order;
  private final AllowedFolder folder;

  GivenFiles(SftpImport.Surroundings around, SftpImport of) {
    this.around = around;
    this.of = of;
    this.tenant = of.tenant();
    this.project = of.project();
    this.order = of.order();
    this.folder =
        new AllowedFolder(
            around.localFiles().map(all -> all.resolve(tenant).toString()).orElse(""),
            "/files",
            "caravan.imports.folder");
  }

  /** Route step: the body becomes their list. */
  static void list(Exchange exchange) throws Exception {
    SftpImport.of(exchange).given().files(exchange);
  }

  private void files(Exchange exchange) throws IOException, InterruptedException {
    GivenParameters given =
        Parameters.read(exchange.getMessage().getBody(String.class), GivenParameters.class);
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    Attempt attempt = job.attempt();
    exchange.setProperty(ImportFiles.PARAMETERS, new ImportParameters(List.of(), given.force()));
    List<ImportFile> files = new ArrayList<>(uploads(given.uploads(), attempt.jobId()));
    for (String name : given.files()) {
      files.add(local(name, given.files().size() == 1, attempt.jobId()));
    }
    if (given.sftp() != null) {
      files.addAll(elsewhere(exchange, given.sftp(), job));
    }
    exchange.getMessage().setBody(order.of(files, file -> file.stamp().name()));
  }

  private List<ImportFile> uploads(List<UUID> ids, UUID job) {
    List<ImportFile> files = new ArrayList<>();
    try {
      around.uploads().usedBy(job, ids);
      for (UUID id : ids) {
        StoredUpload upload = find(id);
        files.add(
            new ImportFile(
                new FileStamp(upload.filename(), upload.bytes(), upload.createdAt()),
                ImportFile.loadId(job, id.toString(), ids.size() == 1),
                () -> around.uploads().open(id),
                () -> {})); // each read is a short query
      }
      return files;
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot look up the uploads of job " + job, e);
    }
  }

  private StoredUpload find(UUID id) throws SQLException {
    return around
        .uploads()
        .find(tenant, id)
        .orElseThrow(
            () ->
                new CaravanException(
                    FailureCode.SOURCE_GONE,
                    "The upload %s is no longer there; uploads are kept for a day.".formatted(id)));
  }

  /**
   * The file of a name in the tenant's folder.
   *
   * @throws dev.caravan.failure.InvalidParameter as {@link AllowedFolder#file}
   */
  public Path local(String name) {
    return folder.file(name);
  }

  /**
   * Another server, or another folder, as it is kept with a job.
   *
   * @param json keys as in the section {@code sftp} of a project
   * @throws dev.caravan.setup.RefusedSetup with all that is wrong
   */
  public SftpOverrides.Kept override(String json) {
    return around.overrides().keep(tenant, project, json);
  }

  private ImportFile local(String name, boolean single, UUID job) throws IOException {
    Path file = local(name);
    String filename = file.getFileName().toString();
    return new ImportFile(
        new FileStamp(filename, Files.size(file), Files.getLastModifiedTime(file).toInstant()),
        ImportFile.loadId(job, name, single),
        () -> Files.newInputStream(file),
        () -> {}); // a local read ends by itself
  }

  private List<ImportFile> elsewhere(Exchange exchange, SftpOverrides.Kept given, RunningJob job)
      throws InterruptedException {
    Attempt attempt = job.attempt();
    SftpConfig there = around.overrides().config(tenant, project, given);
    SftpSource source = of.source(there, SftpOverrides.namesServer(given));
    ReadyFiles.Found found =
        new ReadyFiles(project.withSftp(there), source, file -> false).find(job);
    ReadyFiles.text(found.left()).ifPresent(text -> JobLoads.of(exchange).note(text));
    return found.files().stream()
        .map(
            stamp -> {
              SftpFile file = source.file(stamp);
              UUID load = ImportFile.loadId(attempt.jobId(), stamp.name(), false);
              return new ImportFile(stamp, load, file, file::abort);
            })
        .toList();
  }
}
