package dev.caravan.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** A file of any size in a heap of 256 MB: {@code -Dbench.big=3g} or {@code sftp:3g}. */
@Tag("bench")
class BigFileTest {

  private static final Path FOLDER = Path.of("target", "bench");

  /** Promised for files of any size. */
  private static final long MAX_RSS_MEBIBYTES = 350;

  @Test
  @EnabledIfSystemProperty(named = "bench.big", matches = "(sftp:)?[0-9]+g")
  void loadsInConstantMemory() throws Exception {
    String option = System.getProperty("bench.big");
    boolean sftp = option.startsWith("sftp:");
    long gigabytes = Long.parseLong(option.replaceAll("[^0-9]", ""));
    Shape wide = Shape.WIDE;
    Shape shape =
        new Shape(wide.name(), gigabytes * 10 * wide.rows(), wide.types(), '|', wide.charset());
    String table = (sftp ? "sftp_" : "local_") + shape.name();
    try (BenchDatabase database =
        BenchDatabase.start(FOLDER.resolve("database").toAbsolutePath())) {
      database.execute("DROP TABLE IF EXISTS " + table);
      PeakMemory.reset();
      Duration elapsed = sftp ? sftp(database, shape) : stream(database, shape, table);
      System.out.printf(
          Locale.ROOT,
          "%s: %d rows of %d columns in %.1f s, peak RSS %d MiB%n",
          option,
          shape.rows(),
          shape.columns(),
          elapsed.toNanos() / 1e9,
          PeakMemory.mebibytes());
      assertThat(database.fingerprint(table)).startsWith(shape.rows() + " ");
      database.execute("DROP TABLE " + table);
      assertThat(PeakMemory.mebibytes()).isLessThanOrEqualTo(MAX_RSS_MEBIBYTES);
    }
  }

  private static Duration stream(BenchDatabase database, Shape shape, String table)
      throws Exception {
    try (InputStream in = new GeneratedCsv(shape, false)) {
      return LocalFile.load(database.dataSource(), shape, in, table);
    }
  }

  private static Duration sftp(BenchDatabase database, Shape shape) throws Exception {
    Path file = FOLDER.resolve("caravan/upload.csv");
    Files.createDirectories(file.getParent());
    try (InputStream in = new GeneratedCsv(shape, false);
        var out = Files.newOutputStream(file)) {
      in.transferTo(out);
    }
    try (ThroughSftp sftp =
        new ThroughSftp(
            database.server(), database.dataSource(), FOLDER.resolve("caravan").toAbsolutePath())) {
      return sftp.loadUploaded(shape, file);
    }
  }
}
