package dev.caravan.bench;

import dev.caravan.embedded.EmbeddedDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The measure: what an expert would write by hand. {@code \copy} into a temporary table and one
 * MERGE that leaves equal rows alone, in one session and one transaction. It trusts the file to
 * have no key twice, which Caravan does not.
 */
final class Psql implements Contestant {

  private final EmbeddedDatabase database;

  Psql(EmbeddedDatabase database) {
    this.database = database;
  }

  @Override
  public String name() {
    return "psql";
  }

  @Override
  public Duration load(Shape shape, Path file, String table)
      throws IOException, InterruptedException {
    Path script = Files.createTempFile("bench", ".sql");
    Path log = Files.createTempFile("bench", ".log");
    Files.writeString(script, script(shape, file, table));
    ProcessBuilder psql =
        new ProcessBuilder(
                List.of(
                    "psql",
                    "-X",
                    "-q",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    String.valueOf(database.port()),
                    "-U",
                    database.username(),
                    "-d",
                    "caravan",
                    "-f",
                    script.toString()))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    psql.environment().put("PGPASSWORD", database.password());
    psql.environment().put("PGCLIENTENCODING", "UTF8");
    long start = System.nanoTime();
    int exit = psql.start().waitFor();
    Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
    if (exit != 0) {
      throw new IOException("psql: " + Files.readString(log, StandardCharsets.UTF_8));
    }
    Files.delete(script);
    Files.delete(log);
    return elapsed;
  }

  private static String script(Shape shape, Path file, String table) {
    return """
        SET client_min_messages = warning;
        BEGIN;
        SET LOCAL work_mem = '64MB';
        %s;
        CREATE TEMPORARY TABLE staging (LIKE %s) ON COMMIT DROP;
        \\copy staging FROM '%s' WITH (FORMAT csv, HEADER true, DELIMITER '%s', ENCODING '%s')
        %s;
        COMMIT;
        """
        .formatted(
            shape.createTable(table),
            table,
            file.toAbsolutePath(),
            shape.delimiter(),
            shape.charset().equals(StandardCharsets.UTF_8) ? "UTF8" : "LATIN1",
            merge(shape, table, "staging"));
  }

  /** Brings the rows of the staging table into the table and leaves equal rows alone. */
  static String merge(Shape shape, String table, String staging) {
    List<String> names = shape.columnNames();
    List<String> values = names.subList(1, names.size());
    return """
        MERGE INTO %s t USING %s s ON t.id = s.id
        WHEN MATCHED AND ROW(%s) IS DISTINCT FROM ROW(%s) THEN UPDATE SET %s
        WHEN NOT MATCHED THEN INSERT (%s) VALUES (%s)"""
        .formatted(
            table,
            staging,
            prefixed("t.", values),
            prefixed("s.", values),
            values.stream().map(c -> c + " = s." + c).collect(Collectors.joining(", ")),
            String.join(", ", names),
            prefixed("s.", names));
  }

  private static String prefixed(String prefix, List<String> names) {
    return names.stream().map(c -> prefix + c).collect(Collectors.joining(", "));
  }
}
