package dev.caravan.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.Caravan;
import dev.caravan.access.ApiKey;
import dev.caravan.access.Role;
import dev.caravan.access.jdbc.ApiKeys;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;

/** The whole program with some projects, and what its job tables say. */
public final class TestCaravan implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(40);

  private final TestDatabase database;
  private Caravan caravan;
  private final int httpPort;
  private final ByteArrayOutputStream said;

  /** One job, with its file if it has one. */
  public record Job(
      UUID id,
      String kind,
      String project,
      String state,
      String code,
      String message,
      String file,
      String status,
      UUID sameAs,
      boolean moved) {

    /** True when nothing more becomes of it. */
    public boolean ended() {
      return !state.equals("queued") && !state.equals("running");
    }
  }

  private TestCaravan(
      TestDatabase database, Caravan caravan, int httpPort, ByteArrayOutputStream said) {
    this.database = database;
    this.caravan = caravan;
    this.httpPort = httpPort;
    this.said = said;
  }

  /**
   * Starts it.
   *
   * @param folder for its files
   * @param projects texts of project files
   */
  public static TestCaravan start(TestDatabase database, Path folder, String... projects)
      throws Exception {
    return start(database, folder, Map.of(), projects);
  }

  /** Starts it with settings of its own. */
  public static TestCaravan start(
      TestDatabase database, Path folder, Map<String, String> more, String... projects)
      throws Exception {
    Path configuration = Files.createTempDirectory(folder, "caravan");
    for (int i = 0; i < projects.length; i++) {
      Files.writeString(configuration.resolve("project" + i + ".yaml"), projects[i]);
    }
    Map<String, String> settings = new HashMap<>();
    settings.put("caravan.database.url", database.url());
    settings.put("caravan.data", configuration.resolve("data").toString());
    settings.put(
        "caravan.projects", projects.length == 0 ? "" : configuration.resolve("*.yaml").toString());
    int httpPort = FreePort.find();
    settings.put("caravan.http.port", String.valueOf(httpPort));
    settings.put("caravan.management.port", "0");
    settings.put("caravan.retry.delay", "50");
    settings.put("caravan.sftp.silence-seconds", "3");
    settings.putAll(more);
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(said, false, StandardCharsets.UTF_8);
    return new TestCaravan(database, new Caravan(settings, out).start(), httpPort, said);
  }

  /** A project that loads every *.csv of the folder into one table by the key {@code id}. */
  public static String project(String name, String table, Map<String, String> sftp) {
    String keys =
        sftp.entrySet().stream()
            .map(e -> "  %s: '%s'%n".formatted(e.getKey(), e.getValue()))
            .map(
                line -> line.replaceFirst("(port|poll_seconds|stable_seconds): '(\\d+)'", "$1: $2"))
            .collect(Collectors.joining());
    return """
        project: %s
        connection: warehouse
        sftp:
        %stables:
          - {file_pattern: "*.csv", target_table: %s, primary_key: id}
        """
        .formatted(name, keys, table);
  }

  /** The running context. */
  public CamelContext context() {
    return caravan.context();
  }

  /** The REST API, called without a credential. */
  public Api anybody() {
    return new Api(URI.create("http://127.0.0.1:" + httpPort), Map.of());
  }

  /** The REST API, called with a new key of that tenant and role. */
  public Api as(String tenant, Role role) {
    return anybody().with("Authorization", "Bearer " + key(tenant, role));
  }

  /** A new key. */
  public String key(String tenant, Role role) {
    ApiKey key = ApiKey.create();
    try {
      new ApiKeys(database.dataSource(), null).create(tenant, role, "test", key, null);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return key.secret();
  }

  /** What was printed so far. */
  public String output() {
    return said.toString(StandardCharsets.UTF_8);
  }

  /** All jobs so far, the oldest first. */
  public List<Job> jobs() {
    String sql =
        """
        SELECT j.id, j.kind, j.project, j.state, j.code, j.message,
               f.label, f.status, f.same_as, f.moved_at IS NOT NULL
        FROM caravan.job j LEFT JOIN caravan.job_load f ON f.job_id = j.id
        ORDER BY j.created_at""";
    List<Job> jobs = new ArrayList<>();
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        jobs.add(
            new Job(
                row.getObject(1, UUID.class),
                row.getString(2),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                row.getString(6),
                row.getString(7),
                row.getString(8),
                row.getObject(9, UUID.class),
                row.getBoolean(10)));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return jobs;
  }

  public List<Job> jobs(Predicate<Job> which) {
    return jobs().stream().filter(which).toList();
  }

  /** The jobs of one file. */
  public List<Job> jobsOf(String file) {
    return jobs(job -> file.equals(job.file()));
  }

  /** Waits until the file has so many jobs that have ended, and returns the last of them. */
  public Job awaitEnd(String file, int count) {
    List<Job> ended =
        await("job %d of %s".formatted(count, file))
            .atMost(PATIENCE)
            .until(
                () -> jobs(j -> file.equals(j.file()) && j.ended()), jobs -> jobs.size() >= count);
    assertThat(ended).hasSize(count);
    return ended.get(count - 1);
  }

  public Job awaitEnd(String file) {
    return awaitEnd(file, 1);
  }

  /**
   * Waits until the newest job of the file has moved it: only then is its name free for another.
   */
  public void awaitMoved(String file) {
    await("move of " + file)
        .atMost(PATIENCE)
        .until(
            () -> {
              List<Job> jobs = jobsOf(file);
              return !jobs.isEmpty() && jobs.get(jobs.size() - 1).moved();
            });
  }

  /** Waits for the failed poll of a project. */
  public Job awaitFailedPoll(String project) {
    return await("failed poll of " + project)
        .atMost(PATIENCE)
        .until(
            () -> jobs(j -> j.kind().equals("poll-sftp") && j.project().equals(project)),
            jobs -> !jobs.isEmpty() && jobs.get(0).state().equals("failed"))
        .get(0);
  }

  /** Codes of all attempts that failed, the oldest first. */
  public List<String> errors(Job job) {
    return texts(
        "SELECT code FROM caravan.job_error WHERE job_id = '" + job.id() + "' ORDER BY id");
  }

  /** The first column of a query, as text. */
  public List<String> texts(String sql) {
    List<String> texts = new ArrayList<>();
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        texts.add(row.getString(1));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return texts;
  }

  /** Ids in a table, in their order as text. */
  public List<String> ids(String table) {
    return texts("SELECT id FROM " + table + " ORDER BY id");
  }

  /** Number of rows of a table. */
  public long rows(String table) {
    return Long.parseLong(texts("SELECT count(*) FROM " + table).get(0));
  }

  @Override
  public void close() {
    if (caravan == null) {
      return;
    }
    caravan.close();
    caravan = null; // a static field of a test class keeps this object for as long as the JVM lives
  }
}
