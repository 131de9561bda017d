package dev.caravan.source.entry;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import dev.caravan.record.Unpacked;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvRecords;
import dev.caravan.record.mapping.FieldMapping;
import dev.caravan.record.mapping.RecordSource;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Records of a CSV file: of the folder, which {@code config.file} names, or an upload, of which
 * {@code config.upload} has the id; comma or semicolon, UTF-8.
 */
public final class CsvUpload implements RecordSource {

  private static final String UPLOAD = "/config/upload";

  private final AllowedFolder folder;
  private final UploadedFiles uploads;

  /** Files of the folder, and what callers have uploaded. */
  public CsvUpload(AllowedFolder folder, UploadedFiles uploads) {
    this.folder = folder;
    this.uploads = uploads;
  }

  /**
   * The records, to be pulled once.
   *
   * @param parameters of the sync
   * @throws InvalidParameter as {@link AllowedFolder#file}; CONFIG_INVALID or SOURCE_GONE for an
   *     upload that is none; HEADER_MISMATCH when the header lacks fields of the mapping, or what
   *     else is wrong with the beginning of the file
   */
  @Override
  public CsvRecords read(Map<String, ?> parameters, FieldMapping mapping)
      throws IOException, SQLException {
    Object file = config(parameters, "file");
    Object upload = config(parameters, "upload");
    if (file != null && upload != null) {
      throw new InvalidParameter(
          FailureCode.CONFIG_INVALID, "/config", "allowed is either file or upload, not both.");
    }
    try {
      return upload == null
          ? records(folder.file(file instanceof String name ? name : null), mapping)
          : records("the upload " + upload, uploaded(upload.toString()), mapping);
    } catch (InvalidParameter e) {
      throw e;
    } catch (CaravanException e) {
      throw new InvalidParameter(
          e.code(), upload == null ? "/config/file" : UPLOAD, e.getMessage(), e);
    }
  }

  private InputStream uploaded(String given) throws IOException, SQLException {
    UUID id;
    try {
      id = UUID.fromString(given);
    } catch (IllegalArgumentException e) {
      throw new InvalidParameter(
          FailureCode.CONFIG_INVALID,
          UPLOAD,
          "allowed is the upload_id that POST /api/v1/uploads has answered.",
          e);
    }
    return uploads
        .open(id)
        .orElseThrow(
            () ->
                new InvalidParameter(
                    FailureCode.SOURCE_GONE,
                    UPLOAD,
                    "there is no upload %s, or none any more; uploads are kept for a day."
                        .formatted(id)));
  }

  private static CsvRecords records(Path file, FieldMapping mapping) throws IOException {
    return records(file.getFileName().toString(), Files.newInputStream(file), mapping);
  }

  private static CsvRecords records(String name, InputStream content, FieldMapping mapping)
      throws IOException {
    CsvRecords records = open(name, content);
    List<String> missing = new ArrayList<>(mapping.fields());
    missing.removeAll(records.columns());
    if (!missing.isEmpty()) {
      records.close();
      throw new CaravanException(
          FailureCode.HEADER_MISMATCH,
          "The header of %s lacks %s; it has %s.".formatted(name, missing, records.columns()));
    }
    return records;
  }

  /** Finds out whether the file can be read and has the header. */
  @Override
  public void check(Map<String, ?> parameters, FieldMapping mapping)
      throws IOException, SQLException {
    read(parameters, mapping).close();
  }

  private static CsvRecords open(String name, InputStream content) throws IOException {
    try {
      InputStream in = new BufferedInputStream(Unpacked.open(content, name));
      return CsvRecords.open(in, CsvFormat.DEFAULT.withDelimiter(delimiter(in)));
    } catch (IOException | RuntimeException e) {
      content.close();
      throw e;
    }
  }

  /** Spreadsheets of some countries write semicolons: what the header has more of. */
  private static char delimiter(InputStream in) throws IOException {
    in.mark(HEADER_BYTES);
    byte[] start = in.readNBytes(HEADER_BYTES - 1);
    in.reset();
    int commas = 0;
    for (byte b : start) {
      if (b == '\n') {
        break;
      }
      commas += b == ',' ? 1 : b == ';' ? -1 : 0;
    }
    return commas < 0 ? ';' : ',';
  }

  private static final int HEADER_BYTES = 8_192;

  static Object config(Map<String, ?> parameters, String key) {
    return parameters.get("config") instanceof Map<?, ?> config ? config.get(key) : null;
  }
}
