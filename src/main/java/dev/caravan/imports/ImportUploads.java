package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.queue.RunningJob;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.Unpacked;
import dev.caravan.upload.StoredUpload;
import dev.caravan.upload.Uploads;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** First step of an import of uploads. The body becomes the list of their files. */
final class ImportUploads implements Processor {

  private final String tenant;
  private final Uploads uploads;

  ImportUploads(String tenant, Uploads uploads) {
    this.tenant = tenant;
    this.uploads = uploads;
  }

  @Override
  public void process(Exchange exchange) {
    UploadParameters parameters =
        Parameters.read(exchange.getMessage().getBody(String.class), UploadParameters.class);
    RunningJob job = exchange.getProperty(RouteWork.RUNNING_JOB, RunningJob.class);
    UUID id = job.attempt().jobId();
    List<ImportFile> files = new ArrayList<>();
    try {
      uploads.usedBy(id, parameters.uploads());
      for (UUID upload : parameters.uploads()) {
        files.add(file(find(upload), parameters.uploads().size() == 1, id));
      }
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot look up the uploads of job " + id, e);
    }
    exchange.setProperty(
        ImportFiles.PARAMETERS, new ImportParameters(List.of(), parameters.force()));
    exchange.getMessage().setBody(files);
  }

  private StoredUpload find(UUID id) throws SQLException {
    return uploads
        .find(tenant, id)
        .orElseThrow(
            () ->
                new CaravanException(
                    FailureCode.SOURCE_GONE,
                    "The upload %s is no longer there; uploads are kept for a day.".formatted(id)));
  }

  /** A job of one file is called as its load is. */
  private ImportFile file(StoredUpload upload, boolean single, UUID job) {
    UUID load =
        single
            ? job
            : UUID.nameUUIDFromBytes((job + "/" + upload.id()).getBytes(StandardCharsets.UTF_8));
    return new ImportFile(
        new FileStamp(upload.filename(), upload.bytes(), upload.createdAt()),
        load,
        () -> Unpacked.open(uploads.open(upload.id()), upload.filename()),
        () -> {}); // each read is a short query
  }
}
