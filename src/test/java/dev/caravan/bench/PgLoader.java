package dev.caravan.bench;

import dev.caravan.embedded.EmbeddedDatabase;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * pgloader's CSV load into a staging table and, as it has no upsert, the MERGE of the psql
 * contestant afterwards. It does not do both in one transaction.
 */
final class PgLoader implements Contestant {

  private final EmbeddedDatabase database;
  private final Path folder;

  /**
   * @param folder for the script and what pgloader writes down
   */
  PgLoader(EmbeddedDatabase database, Path folder) throws IOException {
    this.database = database;
    this.folder = Files.createDirectories(folder);
  }

  /** False where the program is not on the path. */
  static boolean isInstalled() {
    return Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "pgloader")));
  }

  @Override
  public String name() {
    return "pgloader";
  }

  @Override
  public Duration load(Shape shape, Path file, String table)
      throws IOException, InterruptedException {
    Path script = Files.writeString(folder.resolve("load"), script(shape, file, table));
    Path log = folder.resolve("log");
    ProcessBuilder pgloader =
        new ProcessBuilder("pgloader", "--root-dir", folder.toString(), script.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    pgloader.environment().put("PGPASSWORD", database.password());
    long start = System.nanoTime();
    int exit = pgloader.start().waitFor();
    Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
    if (exit != 0) {
      throw new IOException("pgloader: " + Files.readString(log, StandardCharsets.UTF_8));
    }
    return elapsed;
  }

  private String script(Shape shape, Path file, String table) {
    List<String> names = shape.columnNames();
    return """
        LOAD CSV FROM '%s' WITH ENCODING %s HAVING FIELDS (%s)
        INTO postgresql://%s@127.0.0.1:%d/caravan TARGET TABLE public.%s_staging (%s)
        WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote,
          fields terminated by '%s', on error stop
        SET work_mem TO '64MB', client_min_messages TO 'warning'
        BEFORE LOAD DO
          $$ %s; $$,
          $$ DROP TABLE IF EXISTS %s_staging; $$,
          $$ CREATE UNLOGGED TABLE %s_staging (LIKE %s); $$
        AFTER LOAD DO
          $$ %s; $$,
          $$ DROP TABLE %s_staging; $$;
        """
        .formatted(
            file.toAbsolutePath(),
            shape.charset().name(),
            String.join(", ", names),
            database.username(),
            database.port(),
            table,
            String.join(", ", names),
            shape.delimiter(),
            shape.createTable(table),
            table,
            table,
            table,
            Psql.merge(shape, table, table + "_staging"),
            table);
  }
}
