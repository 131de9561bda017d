package dev.caravan.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.Caravan;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;

/** Caravan with one project "p" over a database of its own and an SFTP server of the test. */
public final class TestImport implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(40);

  private final Map<String, String> settings = new HashMap<>();
  private final Path project;
  private final Sql sql;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private Caravan caravan;

  /**
   * @param folder for the project file and the data folder
   * @param url sftp://user@host:port
   * @param login further settings: password or key, host key
   */
  public TestImport(Path folder, String url, Map<String, String> login) throws Exception {
    TestDatabase database = TestDatabase.create();
    sql = new Sql(database.url(), null, null);
    project = folder.resolve("p.yaml");
    settings.put("caravan.data", folder.resolve("data").toString());
    settings.put("caravan.projects", project.toString());
    settings.put("caravan.database.url", database.url());
    settings.put("caravan.sftp.url", url);
    settings.put("caravan.redelivery.delay", "50");
    settings.putAll(login);
    project("remote_path: /export", "primary_key: id");
  }

  /** Writes the project file: more keys of sftp and of defaults, as flow-style YAML. */
  public TestImport project(String sftp, String defaults) throws Exception {
    Files.writeString(
        project,
        """
        project: p
        connection: warehouse
        sftp: {poll_seconds: 1, %s}
        defaults: {file_pattern: "*.csv", %s}
        """
            .formatted(sftp, defaults));
    return this;
  }

  public TestImport start() throws Exception {
    settings.put("caravan.http.port", String.valueOf(FreePort.find()));
    caravan = new Caravan(settings, new PrintStream(printed, true, StandardCharsets.UTF_8)).start();
    return this;
  }

  public void stop() {
    caravan.close();
    caravan = null;
  }

  public Sql sql() {
    return sql;
  }

  public String printed() {
    return printed.toString(StandardCharsets.UTF_8);
  }

  /** Waits until the query gives the row. */
  public void await(String query, String... rows) {
    Awaitility.await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(50))
        .ignoreExceptionsInstanceOf(IllegalStateException.class) // the tables are not there yet
        .untilAsserted(() -> assertThat(sql.rows(query)).isEqualTo(List.of(rows)));
  }

  /** Waits until the file's newest job has ended like this: state, code or null. */
  public void awaitJob(String file, String state, String code) {
    await(
        "SELECT j.state, j.code FROM caravan.job j JOIN caravan.job_file f ON f.job_id = j.id WHERE f.file = '"
            + file.replace("'", "''")
            + "' ORDER BY j.created_at DESC LIMIT 1",
        state + "|" + code);
  }

  @Override
  public void close() {
    if (caravan != null) {
      stop();
    }
  }
}
