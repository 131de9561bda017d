package dev.caravan.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.ApiKey;
import dev.caravan.access.Role;
import dev.caravan.access.jdbc.ApiKeys;
import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One tenant does all that it can to a node of 256 MB, and another one imports a file each second
 * and notices nothing: docs/reliability.md.
 */
class HostileTenantTest {

  private static final int ROWS = 100;
  private static final List<String> OPTIONS = List.of("-Xmx256m", "-XX:+ExitOnOutOfMemoryError");

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();
  private final URI server = URI.create(database.url().substring("jdbc:".length()));
  private final Sql sql = new Sql(database.url(), null, null);
  private final String secretsKey = Secrets.newKey();
  private final int port = FreePort.find();
  private final Queue<Long> callMillis = new ConcurrentLinkedQueue<>();
  private final Queue<String> problems = new ConcurrentLinkedQueue<>();
  private final Queue<String> jobs = new ConcurrentLinkedQueue<>();
  private EmbeddedSftpServer sftp;
  private Node node;
  private int files;

  @BeforeEach
  void start() throws Exception {
    sftp =
        EmbeddedSftpServer.start(
            Files.createDirectories(folder.resolve("remote")),
            folder.resolve("hostkey"),
            0,
            "u",
            "p");
    TcpProxy network = new TcpProxy(server.getPort());
    node =
        new Node(
            "node",
            folder,
            Map.of(
                "caravan.database.url",
                "jdbc:postgresql://127.0.0.1:%d%s?%s"
                    .formatted(network.port(), server.getPath(), server.getQuery()),
                "caravan.data",
                folder.resolve("data").toString(),
                "caravan.projects",
                "",
                "caravan.secrets.key",
                secretsKey,
                "caravan.connections.allow",
                "127.0.0.0/8",
                "caravan.queues",
                "default:4:3",
                "caravan.job.queued-per-tenant",
                "200",
                "caravan.http.port",
                String.valueOf(port),
                "caravan.management.port",
                "0"),
            network,
            (which, fault) -> {});
    node.start(null, OPTIONS);
    await().atMost(Duration.ofSeconds(60)).until(node::isReady);
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
    sftp.close();
  }

  private String key(String tenant) throws Exception {
    ApiKey key = ApiKey.create();
    new ApiKeys(database.dataSource(), null).create(tenant, Role.ADMIN, "test", key, null);
    return key.secret();
  }

  private Api api(String key) {
    return new Api(
        URI.create("http://127.0.0.1:" + port), Map.of("Authorization", "Bearer " + key));
  }

  private String hostKey() {
    return sftp.knownHostsLine().replaceFirst("^\\S+ ", "").strip();
  }

  /** In the default suite the machine is shared with whatever runs there. */
  @Test
  void isNotNoticedByOthers() throws Exception {
    run(Duration.ofSeconds(15), Duration.ofSeconds(2));
  }

  @Test
  @Tag("hostile")
  void isNotNoticedByOthersForAMinute() throws Exception {
    run(Duration.ofSeconds(60), Duration.ofMillis(200));
  }

  private void run(Duration length, Duration most) throws Exception {
    Api calm = api(key("calm"));
    prepare(calm);
    String credential = key("hostile");
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
    Map<String, Integer> answers;
    try (HostileTenant hostile =
        new HostileTenant(api(credential), api(key("friend")), credential, hostKey(), folder)) {
      hostile.begin();
      long end = System.nanoTime() + length.toNanos();
      var imports =
          timer.scheduleAtFixedRate(() -> safely(() -> importFile(calm)), 0, 1, TimeUnit.SECONDS);
      var looks =
          timer.scheduleWithFixedDelay(
              () -> safely(() -> look(calm)), 100, 100, TimeUnit.MILLISECONDS);
      await().atMost(length.plusSeconds(5)).until(() -> System.nanoTime() > end || !node.isAlive());
      imports.cancel(false);
      looks.cancel(false);
      timer.shutdown();
      assertThat(timer.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
      assertThat(node.isAlive()).as("the process lives").isTrue();
      await().atMost(Duration.ofSeconds(60)).until(() -> open() == 0);
      answers = hostile.answers();
      assertThat(hostile.bodies()).noneMatch(body -> body.contains(secretsKey));
    } finally {
      timer.shutdownNow();
    }
    report(answers);
    assertThat(problems).isEmpty();
    assertThat(files).isGreaterThan((int) length.toSeconds() / 2);
    assertThat(sql.rows("SELECT state, count(*) FROM caravan.job WHERE tenant = 'calm' GROUP BY 1"))
        .containsExactly("completed|" + files);
    assertThat(sql.value("SELECT count(*) FROM calm")).isEqualTo("" + files * ROWS);
    assertThat(answers.keySet())
        .contains(
            "a bad escape: 400",
            "a bad key: 401",
            "a bad key: 429",
            "a follower: 200",
            "a long text in a project: 422 INVALID",
            "a long text in an import: 422 INVALID",
            "a lying server: 200",
            "a silent server: 429 TOO_MANY_REQUESTS",
            "a slow upload: 429",
            "many imports: 429 QUEUE_FULL",
            "many mistakes: 422 INVALID");
    restart();
    assertThat(percentile(99)).as("milliseconds").isLessThanOrEqualTo(most.toMillis());
  }

  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }

  private void safely(Step step) {
    try {
      step.run();
    } catch (Exception e) {
      problems.add(e.toString());
    }
  }

  private void prepare(Api calm) {
    expect(
        201,
        calm.post(
            "/api/v1/connections",
            "{\"name\":\"own\",\"database_url\":\"postgresql://caravan@127.0.0.1:%d%s\"}"
                .formatted(server.getPort(), server.getPath())));
    expect(
        201,
        calm.post(
            "/api/v1/projects",
            """
            {"project": "calm", "connection": "own",
             "sftp": {"host": "127.0.0.1", "port": %d, "username": "u", "password": "p",
               "host_key": "%s", "remote_path": "/", "poll_seconds": 86400},
             "tables": [{"file_pattern": "*.csv", "target_table": "calm", "primary_key": "id"}]}"""
                .formatted(sftp.port(), hostKey())));
  }

  private static HttpResponse<String> expect(int status, HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    return answer;
  }

  @FunctionalInterface
  private interface Call {
    HttpResponse<String> run();
  }

  private JsonNode timed(int status, Call call) {
    long before = System.nanoTime();
    HttpResponse<String> answer = call.run();
    callMillis.add(Duration.ofNanos(System.nanoTime() - before).toMillis());
    return Api.json(expect(status, answer));
  }

  private void importFile(Api calm) {
    int number = files++;
    String text =
        IntStream.range(0, ROWS)
            .mapToObj(i -> (number * ROWS + i) + ",some text")
            .collect(Collectors.joining("\n", "id,v\n", "\n"));
    JsonNode upload =
        timed(
            201,
            () ->
                calm.with("Content-Type", "text/csv")
                    .send(
                        "POST",
                        "/api/v1/uploads?filename=calm.csv",
                        text.getBytes(StandardCharsets.UTF_8)));
    JsonNode job =
        timed(
            202,
            () ->
                calm.post(
                    "/api/v1/import",
                    "{\"project\":\"calm\",\"uploads\":[%s]}".formatted(upload.at("/upload_id"))));
    jobs.add(job.at("/job_id").asText());
  }

  /** As a page does that shows how it goes. */
  private void look(Api calm) {
    timed(200, () -> calm.get("/api/v1/jobs"));
    if (!jobs.isEmpty()) {
      String newest = new ArrayList<>(jobs).get(jobs.size() - 1);
      timed(200, () -> calm.get("/api/v1/jobs/" + newest));
    }
  }

  private int open() {
    return Integer.parseInt(
        sql.value(
            "SELECT count(*) FROM caravan.job WHERE tenant = 'calm' AND state IN ('queued', 'running')"));
  }

  private long percentile(int percent) {
    List<Long> sorted = callMillis.stream().sorted().toList();
    return sorted.get((sorted.size() - 1) * percent / 100);
  }

  private void report(Map<String, Integer> answers) {
    System.out.printf(
        "calm: %d files, %d calls, p50 %d ms, p99 %d ms, longest %d ms; a job p99 %s ms%nhostile: %s%n",
        files,
        callMillis.size(),
        percentile(50),
        percentile(99),
        percentile(100),
        sql.value(
            """
            SELECT round(1000 * extract(epoch FROM
              percentile_disc(0.99) WITHIN GROUP (ORDER BY completed_at - created_at)))
            FROM caravan.job WHERE tenant = 'calm'"""),
        answers);
  }

  private void restart() throws Exception {
    node.kill();
    long before = System.nanoTime();
    node.start(null, OPTIONS);
    await().atMost(Duration.ofSeconds(15)).until(node::isReady);
    System.out.printf(
        "restart: %d ms, %s projects, %s jobs that wait%n",
        Duration.ofNanos(System.nanoTime() - before).toMillis(),
        sql.value("SELECT count(*) FROM caravan.project"),
        sql.value("SELECT count(*) FROM caravan.job WHERE state = 'queued'"));
  }
}
