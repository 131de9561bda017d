package dev.caravan.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** Measures the contestants side by side and holds their tables against each other. */
@Tag("bench")
class BenchmarkTest {

  private static final Path FOLDER = Path.of("target", "bench");

  private final int runs = Integer.getInteger("bench.runs", 5);
  private final List<Shape> shapes = new ArrayList<>();
  private final Map<String, Contestant> contestants = new java.util.LinkedHashMap<>();
  private final ResultTable results = new ResultTable();

  private enum Case {
    FRESH,
    IDENTICAL,
    CHANGED
  }

  @Test
  @DisabledIfSystemProperty(named = "bench.big", matches = ".+")
  void everyContestantMakesTheSameTable() throws Exception {
    for (String name : System.getProperty("bench.cases", "wide,narrow").split(",", -1)) {
      shapes.add(Shape.named(name));
    }
    try (BenchDatabase database = BenchDatabase.start(FOLDER.resolve("database").toAbsolutePath());
        Psql psql = new Psql(database.server());
        LocalFile local = new LocalFile(database.dataSource());
        ThroughSftp sftp =
            new ThroughSftp(
                database.server(),
                database.dataSource(),
                FOLDER.resolve("caravan").toAbsolutePath());
        JdbcBatch jdbc = new JdbcBatch(database.dataSource());
        StockCamel camel = new StockCamel(database.dataSource());
        PgLoader pgloader = new PgLoader(database.server(), FOLDER.resolve("pgloader"))) {
      contestants.put("psql", psql);
      contestants.put("local", local);
      contestants.put("sftp", sftp);
      contestants.put("jdbc", jdbc);
      contestants.put("camel", camel);
      if (PgLoader.isInstalled()) {
        contestants.put("pgloader", pgloader);
      }
      only(System.getProperty("bench.contestants", ""));
      for (Shape shape : shapes) {
        for (Case which : Case.values()) {
          measure(database, shape, which);
        }
      }
    }
    String table = results.markdown();
    System.out.println(table);
    Files.writeString(FOLDER.resolve("result.md"), table);
  }

  private void only(String names) {
    if (!names.isEmpty()) {
      contestants.keySet().retainAll(List.of(names.split(",", -1)));
    }
  }

  private static void prepare(BenchDatabase database, Shape shape, Case which, String table)
      throws SQLException {
    if (which != Case.FRESH) {
      database.execute("VACUUM " + table);
      return;
    }
    database.execute("DROP TABLE IF EXISTS " + table);
    if (shape.isTyped()) {
      database.execute(shape.createTable(table));
    }
  }

  /** The first round warms the JVM and the caches up and is not counted. */
  private void measure(BenchDatabase database, Shape shape, Case which) throws Exception {
    List<String> order = new ArrayList<>(contestants.keySet());
    for (int run = 0; run <= runs; run++) {
      Path file = GeneratedCsv.file(FOLDER, shape, which == Case.CHANGED && run % 2 == 0);
      for (String key : order) {
        String table = key + "_" + shape.name();
        prepare(database, shape, which, table);
        PeakMemory.reset();
        Duration elapsed = contestants.get(key).load(shape, file, table);
        if (run > 0) {
          results.add(
              shape.name() + ", " + which.name().toLowerCase(java.util.Locale.ROOT),
              contestants.get(key).name(),
              elapsed,
              PeakMemory.mebibytes());
        }
      }
      Collections.reverse(order);
    }
    for (String key : contestants.keySet()) {
      assertThat(database.fingerprint(key + "_" + shape.name()))
          .as("rows of %s, %s, %s", key, shape.name(), which)
          .isEqualTo(database.fingerprint(order.get(0) + "_" + shape.name()));
    }
  }
}
