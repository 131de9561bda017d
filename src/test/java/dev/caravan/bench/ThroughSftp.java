package dev.caravan.bench;

import dev.caravan.Caravan;
import dev.caravan.embedded.EmbeddedDatabase;
import dev.caravan.testing.FreePort;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.awaitility.Awaitility;

/**
 * The whole of Caravan: the file lies on its embedded SFTP server, in this JVM, and the route loads
 * it. What is measured is the job, from its start to its end; waiting for the poll is not in it.
 */
final class ThroughSftp implements Contestant {

  private static final Duration PATIENCE = Duration.ofMinutes(30);

  private final DataSource dataSource;
  private final Path folder;
  private final Path export;
  private final Caravan caravan;
  private int files;

  /**
   * @param folder for the data of this Caravan
   */
  ThroughSftp(EmbeddedDatabase database, DataSource dataSource, Path folder) throws Exception {
    this.dataSource = dataSource;
    this.folder = folder;
    this.export = Files.createDirectories(folder.resolve("sftp/export"));
    Path project = folder.resolve("project.yaml");
    Files.writeString(project, PROJECT);
    Map<String, String> settings =
        Map.of(
            "caravan.data", folder.toString(),
            "caravan.projects", project.toString(),
            "caravan.database.url", database.jdbcUrl(),
            "caravan.database.username", database.username(),
            "caravan.database.password", database.password(),
            "caravan.http.port", String.valueOf(FreePort.find()),
            "caravan.management.port", "0");
    caravan = new Caravan(settings, new PrintStream(OutputStream.nullOutputStream())).start();
  }

  // The table's name follows the number that makes each file's name a new one.
  private static final String PROJECT =
      """
      project: bench
      connection: warehouse
      sftp: {remote_path: /export, poll_seconds: 1, stable_seconds: 0, move_to: /done}
      defaults: {primary_key: id}
      tables:
        - {file_pattern: "*-wide.csv", target_table: sftp_wide, delimiter: "|", encoding: latin-1}
        - {file_pattern: "*-narrow.csv", target_table: sftp_narrow, delimiter: ";"}
        - {file_pattern: "*-long.csv", target_table: sftp_long, delimiter: ";"}
        - {file_pattern: "*-typed.csv", target_table: sftp_typed, delimiter: ";"}
      """;

  @Override
  public String name() {
    return "Caravan, SFTP";
  }

  @Override
  public Duration load(Shape shape, Path file, String table) throws Exception {
    files++;
    Path uploaded = folder.resolve("upload.csv");
    Files.copy(file, uploaded, StandardCopyOption.REPLACE_EXISTING);
    // Other bytes and the same rows, so that the load is not skipped: empty lines at the end.
    Files.writeString(uploaded, "\n".repeat(files), StandardOpenOption.APPEND);
    return loadUploaded(shape, uploaded);
  }

  /** Moves the file to the server and waits until it is loaded. */
  Duration loadUploaded(Shape shape, Path uploaded) throws IOException {
    String name = System.currentTimeMillis() + "-" + shape.name() + ".csv";
    Files.move(uploaded, export.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    Duration elapsed =
        Awaitility.await()
            .atMost(PATIENCE)
            .pollInterval(Duration.ofMillis(200))
            .until(() -> elapsed(name), duration -> duration != null);
    Files.deleteIfExists(folder.resolve("sftp/done").resolve(name));
    return elapsed;
  }

  /** Null as long as the job is not over. */
  private Duration elapsed(String file) throws SQLException {
    String sql =
        """
        SELECT j.state, j.message, extract(epoch FROM j.completed_at - j.started_at)
        FROM caravan.job j JOIN caravan.job_load f ON f.job_id = j.id
        WHERE f.label = ? AND j.completed_at IS NOT NULL""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, file);
      try (ResultSet row = query.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        if (!row.getString(1).equals("completed")) {
          throw new IllegalStateException(row.getString(2));
        }
        return Duration.ofNanos(Math.round(row.getDouble(3) * 1e9));
      }
    }
  }

  @Override
  public void close() {
    caravan.close();
  }
}
