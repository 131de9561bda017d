package dev.caravan.source.entry;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvRecords;
import dev.caravan.record.mapping.FieldMapping;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Records of the CSV file that {@code config.file} names; comma or semicolon, UTF-8. */
public final class CsvUpload {

  private final AllowedFolder folder;

  /** Files of the folder. */
  public CsvUpload(AllowedFolder folder) {
    this.folder = folder;
  }

  /**
   * The records, to be pulled once.
   *
   * @param parameters of the sync
   * @throws CaravanException as {@link AllowedFolder#file}, or HEADER_MISMATCH when the header
   *     lacks fields of the mapping
   */
  public CsvRecords read(Map<String, ?> parameters, FieldMapping mapping) throws IOException {
    Path file = folder.file(config(parameters, "file") instanceof String name ? name : null);
    CsvRecords records = open(file);
    List<String> missing = new ArrayList<>(mapping.fields());
    missing.removeAll(records.columns());
    if (!missing.isEmpty()) {
      records.close();
      throw new CaravanException(
          FailureCode.HEADER_MISMATCH,
          "The header of %s lacks %s; it has %s."
              .formatted(file.getFileName(), missing, records.columns()));
    }
    return records;
  }

  /** Finds out whether the file can be read and has the header. */
  public void check(Map<String, ?> parameters, FieldMapping mapping) throws IOException {
    read(parameters, mapping).close();
  }

  private static CsvRecords open(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file));
    try {
      return CsvRecords.open(in, CsvFormat.DEFAULT.withDelimiter(delimiter(in)));
    } catch (IOException | RuntimeException e) {
      in.close();
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
