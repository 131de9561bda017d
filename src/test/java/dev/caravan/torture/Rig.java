package dev.caravan.torture;

import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.caravan.database.Database;
import dev.caravan.pgload.Loader;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.UnrulySftpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.ds.PGSimpleDataSource;

/** Several nodes on one PostgreSQL and one SFTP server, and what an observer needs beside them. */
final class Rig implements AutoCloseable {

  private static final Duration HEARTBEAT = Duration.ofMillis(300);

  /** Four heartbeats that are missed. */
  static final Duration LEASE = HEARTBEAT.multipliedBy(4);

  static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Two of each kind: into {@code a…} rows are appended, into {@code u…} by their key. */
  static final List<String> TARGETS = List.of("a0", "u0", "a1", "u1");

  /** Projects by the folder that they look at; the second goes by a temporary file. */
  static final Map<String, String> PROJECTS = Map.of("", "stream", "temp/", "temp");

  private static final String OBSERVER =
      """
      CREATE SCHEMA torture;
      CREATE TABLE torture.file (file text PRIMARY KEY, target text NOT NULL, rows bigint NOT NULL);
      CREATE TABLE torture.moved (file text PRIMARY KEY);
      CREATE TABLE torture.cancelled (job_id uuid PRIMARY KEY);
      CREATE TABLE torture.history (seq bigint GENERATED ALWAYS AS IDENTITY, job_id uuid, state text,
        epoch bigint, node text, at timestamptz DEFAULT clock_timestamp());
      CREATE FUNCTION torture.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' OR (NEW.state, NEW.epoch) IS DISTINCT FROM (OLD.state, OLD.epoch) THEN
          INSERT INTO torture.history (job_id, state, epoch, node)
          VALUES (NEW.id, NEW.state, NEW.epoch, NEW.node);
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER note AFTER INSERT OR UPDATE ON caravan.job
        FOR EACH ROW EXECUTE FUNCTION torture.note();
      CREATE TABLE public.a0 (id text, file text, n bigint);
      CREATE TABLE public.a1 (id text, file text, n bigint);
      CREATE TABLE public.u0 (id text PRIMARY KEY, file text, n bigint);
      CREATE TABLE public.u1 (id text PRIMARY KEY, file text, n bigint);
      CREATE VIEW torture.loaded AS SELECT 'a0' AS target, id, file, n FROM public.a0
        UNION ALL SELECT 'a1', id, file, n FROM public.a1
        UNION ALL SELECT 'u0', id, file, n FROM public.u0
        UNION ALL SELECT 'u1', id, file, n FROM public.u1;
      """;

  final CrashingPostgres postgres;
  final UnrulySftpServer sftp;
  final List<Node> nodes = new ArrayList<>();
  final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final HttpServer receiver;

  /**
   * Starts all but the nodes.
   *
   * @param onFault is told when a fault point has acted in a node, and which
   */
  Rig(Path folder, int count, BiConsumer<Node, String> onFault) throws Exception {
    this(folder, count, HEARTBEAT, onFault);
  }

  /**
   * As above.
   *
   * @param heartbeat of the nodes
   */
  Rig(Path folder, int count, Duration heartbeat, BiConsumer<Node, String> onFault)
      throws Exception {
    postgres = new CrashingPostgres(folder.resolve("database"));
    sftp = UnrulySftpServer.start(folder.resolve("sftp"));
    Files.createDirectories(sftp.file("temp"));
    receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext("/", exchange -> exchange.sendResponseHeaders(204, -1));
    receiver.setExecutor(Executors.newCachedThreadPool());
    receiver.start();
    try {
      prepareDatabase();
    } catch (SQLException | RuntimeException e) {
      close();
      throw e;
    }
    writeProjects(folder);
    for (int i = 1; i <= count; i++) {
      TcpProxy network = new TcpProxy(postgres.port());
      String name = "node" + i;
      nodes.add(
          new Node(name, folder, settings(folder, name, network, heartbeat), network, onFault));
    }
  }

  private void prepareDatabase() throws SQLException {
    PGSimpleDataSource direct = postgres.dataSource();
    try (Database database =
        Database.open("torture", direct.getURL(), direct.getUser(), direct.getPassword(), 2)) {
      database.migrate();
    }
    try (Connection connection = direct.getConnection();
        Statement statement = connection.createStatement()) {
      Loader.prepare(connection);
      statement.execute(OBSERVER);
      connection.commit();
    }
  }

  private void writeProjects(Path folder) throws IOException {
    for (Map.Entry<String, String> project : PROJECTS.entrySet()) {
      Map<String, String> login = new HashMap<>(sftp.login());
      login.put("remote_path", "/export/" + project.getKey());
      login.put("download", project.getKey().isEmpty() ? "stream" : "temp_file");
      String keys =
          login.entrySet().stream()
              .map(e -> "  %s: '%s'%n".formatted(e.getKey(), e.getValue()))
              .map(
                  line ->
                      line.replaceFirst("(port|poll_seconds|stable_seconds): '(\\d+)'", "$1: $2"))
              .collect(Collectors.joining());
      String tables =
          TARGETS.stream()
              .map(
                  t ->
                      "  - {file_pattern: '%s-*.csv', target_table: %s, %s}%n"
                          .formatted(t, t, t.startsWith("a") ? "mode: append" : "primary_key: id"))
              .collect(Collectors.joining());
      Files.writeString(
          folder.resolve(project.getValue() + ".yaml"),
          "project: %s%nconnection: warehouse%nsftp:%n%stables:%n%s"
              .formatted(project.getValue(), keys, tables));
    }
  }

  private Map<String, String> settings(
      Path folder, String name, TcpProxy network, Duration heartbeat) {
    Map<String, String> settings = new HashMap<>();
    settings.put("caravan.data", folder.resolve("data-" + name).toString());
    settings.put("caravan.node", name);
    settings.put("caravan.projects", folder.resolve("*.yaml").toString());
    settings.put(
        "caravan.database.url", "jdbc:postgresql://127.0.0.1:" + network.port() + "/caravan");
    settings.put("caravan.database.username", "caravan");
    settings.put("caravan.database.password", postgres.password());
    settings.put("caravan.http.port", String.valueOf(FreePort.find()));
    settings.put("caravan.job.heartbeat", String.valueOf(heartbeat.toMillis()));
    settings.put("caravan.management.port", "0");
    settings.put("caravan.job.timeout", "60");
    settings.put("caravan.queues", "default:6");
    settings.put("caravan.retry.attempts", "10");
    settings.put("caravan.retry.delay", "200");
    settings.put("caravan.retry.max-delay", "2000");
    settings.put("caravan.webhook.allow", "127.0.0.1:" + receiver.getAddress().getPort());
    settings.put("camel.main.jmxEnabled", "false");
    return settings;
  }

  /** Where the end of a job can be told; it always answers. */
  String callbackUrl() {
    return "http://127.0.0.1:" + receiver.getAddress().getPort() + "/";
  }

  /** What is done in the database. */
  @FunctionalInterface
  interface SqlWork<T> {
    T with(Connection connection) throws SQLException;
  }

  /** Does it again until PostgreSQL is there long enough; the work must bear that. */
  <T> T sql(SqlWork<T> work) {
    List<T> result = new ArrayList<>();
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(100))
        .pollDelay(Duration.ZERO)
        .ignoreExceptionsInstanceOf(SQLException.class)
        .until(
            () -> {
              try (Connection connection = postgres.dataSource().getConnection()) {
                result.add(work.with(connection));
                return true;
              }
            });
    return result.get(0);
  }

  /** The first value of the query as text. */
  String value(String query) {
    return sql(
        connection -> {
          try (Statement statement = connection.createStatement();
              var row = statement.executeQuery(query)) {
            return row.next() ? row.getString(1) : null;
          }
        });
  }

  void execute(String statementText) {
    sql(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            return statement.execute(statementText);
          }
        });
  }

  /** Tells the observer's tables what is in the done folders now. */
  void noteMoved() throws IOException {
    for (String folder : PROJECTS.keySet()) {
      Path done = sftp.file(folder + ".done");
      if (Files.exists(done)) {
        try (Stream<Path> files = Files.list(done)) {
          String names =
              files.map(f -> "('" + f.getFileName() + "')").collect(Collectors.joining(","));
          if (!names.isEmpty()) {
            execute("INSERT INTO torture.moved VALUES " + names + " ON CONFLICT DO NOTHING");
          }
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    timer.shutdownNow();
    for (Node node : nodes) {
      node.close();
    }
    receiver.stop(0);
    sftp.close();
    postgres.close();
  }
}
