package dev.caravan.bench;

import dev.caravan.pgload.LoadOrigin;
import dev.caravan.pgload.LoadSpec;
import dev.caravan.pgload.Loader;
import dev.caravan.pgload.TableName;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvReader;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Caravan's load of a local file in the running JVM, with all that a load does: checks, hash,
 * ledger, duplicate keys.
 */
final class LocalFile implements Contestant {

  private final DataSource dataSource;

  LocalFile(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  @Override
  public String name() {
    return "Caravan, local file";
  }

  @Override
  public Duration load(Shape shape, Path file, String table) throws Exception {
    try (InputStream in = Files.newInputStream(file)) {
      return load(dataSource, shape, in, table);
    }
  }

  /** Loads any stream. */
  static Duration load(DataSource dataSource, Shape shape, InputStream in, String table)
      throws Exception {
    CsvFormat format =
        CsvFormat.DEFAULT.withDelimiter(shape.delimiter()).withCharset(shape.charset());
    LoadSpec spec = LoadSpec.upsert(new TableName("public", table), List.of("id"));
    long start = System.nanoTime();
    DigestInputStream hashed = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"));
    try (CsvReader records = CsvReader.open(hashed, format)) {
      Loader.load(dataSource, spec, new Origin(UUID.randomUUID(), shape, hashed), records);
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Loads the same content again and again. */
  private record Origin(UUID loadId, Shape shape, DigestInputStream hashed) implements LoadOrigin {

    @Override
    public String pipeline() {
      return "bench/" + shape.name();
    }

    @Override
    public String file() {
      return shape.name() + ".csv";
    }

    @Override
    public String sha256() {
      return HexFormat.of().formatHex(hashed.getMessageDigest().digest());
    }

    @Override
    public long bytes() {
      return 0;
    }

    @Override
    public boolean force() {
      return true;
    }
  }
}
