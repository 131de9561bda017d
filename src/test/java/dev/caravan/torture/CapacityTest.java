package dev.caravan.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.Role;
import dev.caravan.database.Database;
import dev.caravan.job.Attempt;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobQueue;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much goes through the queue; the figures are printed and go into docs/reliability.md. */
@Tag("torture")
class CapacityTest {

  private static final int QUEUED = 1_000_000;
  private static final int CLAIMS = 500;
  private static final int PER_SECOND = 200;
  private static final int SECONDS = Integer.getInteger("capacity.seconds", 60);

  /** A JVM that was just started still compiles. */
  private static final int WARM_UP_SECONDS = 10;

  private static final int FILES = Integer.getInteger("capacity.files", 10_000);
  private static final int TAKE_OVERS = 10;

  /** As application.properties has it. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(3);

  private static final int AWAY_SECONDS = Integer.getInteger("capacity.away", 600);

  @TempDir Path folder;

  private static void report(String what, List<Long> nanos) {
    List<Long> sorted = nanos.stream().sorted().toList();
    System.out.printf(
        "CAPACITY %s: p50 %.1f ms, p99 %.1f ms, highest %.1f ms of %d%n",
        what,
        sorted.get(sorted.size() / 2) / 1e6,
        sorted.get(sorted.size() * 99 / 100) / 1e6,
        sorted.get(sorted.size() - 1) / 1e6,
        sorted.size());
  }

  @Test
  void claimsFromAMillionQueuedJobs() throws Exception {
    TestDatabase test = TestDatabase.create();
    try (Database database = Database.open("test", test.url(), null, null, 4)) {
      database.migrate();
      Sql sql = new Sql(test.url(), null, null);
      sql.execute(
          """
          INSERT INTO caravan.job (id, kind, project, state, tenant, route, target, priority)
          SELECT gen_random_uuid(), 'test', 'p', 'queued', 't' || i %% 100, 'r',
            'w/public.t' || i %% 1000, i %% 3 FROM generate_series(1, %d) i"""
              .formatted(QUEUED));
      sql.execute("ANALYZE caravan.job");
      JdbcJobRepository jobs =
          new JdbcJobRepository(
              database.dataSource(), "n", (c, job, effect) -> {}, List.of(), List.of());
      JobQueue queue = new JobQueue(database.dataSource(), jobs);
      List<Long> admits = new ArrayList<>();
      List<Long> claims = new ArrayList<>();
      for (int i = 0; i < CLAIMS; i++) {
        long start = System.nanoTime();
        assertThat(queue.admit(new JobQueue.Limit("default", 1, 1))).isEqualTo(1);
        admits.add(System.nanoTime() - start);
        long admission = Long.parseLong(sql.value("SELECT max(admission) FROM caravan.job"));
        start = System.nanoTime();
        Attempt attempt = queue.claim(admission, "n").orElseThrow();
        claims.add(System.nanoTime() - start);
        jobs.end(
            new JobEnd(attempt.jobId(), "k", "p", JobState.COMPLETED, 1, null, null, List.of()),
            attempt.epoch());
      }
      report("claim from 1,000,000 queued jobs", claims);
      report("admission of one of 1,000,000 queued jobs", admits);
    }
  }

  /** An open model: a trigger is sent when it is due, however long others take. */
  @Test
  void takesTwoHundredTriggersASecond() throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(64);
    try (UnrulySftpServer server = UnrulySftpServer.start(folder.resolve("mina"));
        TestCaravan caravan =
            TestCaravan.start(
                TestDatabase.create(),
                folder,
                TestCaravan.project("p", "t", server.login())
                    + "schedule: {cron: '0 0 0 1 1 ? 2099'}\n")) {
      Api operator = caravan.as("default", Role.OPERATOR);
      List<Future<Long>> answers = new ArrayList<>();
      long begin = System.nanoTime();
      for (int i = 0; i < PER_SECOND * (WARM_UP_SECONDS + SECONDS); i++) {
        long due = begin + i * (TimeUnit.SECONDS.toNanos(1) / PER_SECOND);
        String key = "k" + i;
        while (System.nanoTime() < due) {
          LockSupport.parkNanos(due - System.nanoTime());
        }
        answers.add(
            callers.submit(
                () -> {
                  HttpResponse<String> answer =
                      operator
                          .with("Idempotency-Key", key)
                          .post("/api/v1/import", "{\"project\":\"p\"}");
                  assertThat(answer.statusCode()).isEqualTo(202);
                  return System.nanoTime() - due;
                }));
      }
      List<Long> nanos = new ArrayList<>();
      for (Future<Long> answer : answers) {
        nanos.add(answer.get());
      }
      int warm = PER_SECOND * WARM_UP_SECONDS;
      report(
          "trigger at %d a second, the first %d s".formatted(PER_SECOND, WARM_UP_SECONDS),
          nanos.subList(0, warm));
      report(
          "trigger at %d a second, %d s after that".formatted(PER_SECOND, SECONDS),
          nanos.subList(warm, nanos.size()));
      assertThat(caravan.texts("SELECT count(*) FROM caravan.idempotency_key"))
          .containsExactly(String.valueOf(answers.size()));
    } finally {
      callers.shutdownNow();
    }
  }

  @Test
  void loadsTenThousandSmallFilesByTwoNodes() throws Exception {
    try (Rig rig = new Rig(folder, 2, (node, point) -> {})) {
      Path unfinished = Files.createDirectories(folder.resolve("unfinished"));
      for (int i = 0; i < FILES; i++) {
        StringBuilder csv = new StringBuilder("id,file,n\n");
        for (int row = 0; row < 100; row++) {
          csv.append(i).append('-').append(row).append(",f").append(i).append(",1\n");
        }
        String name = Rig.TARGETS.get(i % Rig.TARGETS.size()) + "-" + i + ".csv";
        Files.move(Files.writeString(unfinished.resolve(name), csv), rig.sftp.file(name));
      }
      long start = System.nanoTime();
      for (Node node : rig.nodes) {
        node.start(null, List.of());
      }
      await()
          .atMost(Duration.ofMinutes(30))
          .pollInterval(Duration.ofSeconds(1))
          .until(
              () ->
                  rig.value("SELECT count(*) FROM caravan.job_load WHERE moved_at IS NOT NULL")
                      .equals(String.valueOf(FILES)));
      System.out.printf(
          "CAPACITY %d files of 100 rows loaded and moved by 2 nodes in %d s, their starts included%n",
          FILES, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
      assertThat(rig.value("SELECT count(*) FROM torture.loaded"))
          .isEqualTo(String.valueOf(FILES * 100L));
    }
  }

  @Test
  void takesTheJobsOfADeadOrSleepingNodeOver() throws Exception {
    List<Long> dead = new ArrayList<>();
    List<Long> asleep = new ArrayList<>();
    try (Rig rig = new Rig(folder, 2, HEARTBEAT, (node, plan) -> {})) {
      Node heir = rig.nodes.get(1);
      heir.start(null, List.of());
      await().atMost(Rig.PATIENCE).until(heir::isReady);
      for (int i = 0; i < TAKE_OVERS; i++) {
        boolean dies = i % 2 == 0;
        Node victim = rig.nodes.get(0);
        heir.pause();
        victim.start(dies ? "K7:halt" : "K7:stop", List.of());
        await().atMost(Rig.PATIENCE).until(victim::isReady);
        String file = "a0-%d.csv".formatted(i);
        rig.sftp.put(file, "id,file,n\n%d,%s,1\n".formatted(i, file));
        await().atMost(Rig.PATIENCE).until(victim::hasFired);
        long start = System.nanoTime();
        heir.resume();
        String again =
            "SELECT count(*) FROM torture.history WHERE node = 'node2' AND epoch = 2 AND state = 'running'";
        await()
            .atMost(Rig.PATIENCE)
            .pollInterval(Duration.ofMillis(100))
            .until(() -> Integer.parseInt(rig.value(again)) > dead.size() + asleep.size());
        (dies ? dead : asleep).add(System.nanoTime() - start);
        await()
            .atMost(Rig.PATIENCE)
            .until(
                () -> rig.value("SELECT count(*) FROM public.a0"), String.valueOf(i + 1)::equals);
        victim.kill();
      }
    }
    report("take-over of a job of a node that was killed", dead);
    report("take-over of a job of a node that was stopped", asleep);
    assertThat(dead).allMatch(nanos -> nanos < TimeUnit.SECONDS.toNanos(30));
    assertThat(asleep).allMatch(nanos -> nanos < TimeUnit.SECONDS.toNanos(30));
  }

  @Test
  void waitsForPostgresAndGoesOnWithoutARestart() throws Exception {
    CrashingPostgres postgres = new CrashingPostgres(folder.resolve("database"));
    try (UnrulySftpServer server = UnrulySftpServer.start(folder.resolve("mina"));
        TestCaravan caravan =
            TestCaravan.start(
                new TestDatabase(postgres.dataSource().getURL(), postgres.dataSource()),
                folder,
                Map.of(
                    "caravan.database.username", postgres.dataSource().getUser(),
                    "caravan.database.password", postgres.password()),
                TestCaravan.project("p", "t", server.login())
                    + "schedule: {cron: '0 0 0 1 1 ? 2099'}\n")) {
      Api operator = caravan.as("default", Role.OPERATOR);
      server.put("a.csv", "id,name\n1,one\n");
      postgres.stopImmediately();
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(AWAY_SECONDS);
      List<Long> nanos = new ArrayList<>();
      while (System.nanoTime() < until) {
        long start = System.nanoTime();
        HttpResponse<String> answer = operator.post("/api/v1/import", "{\"project\":\"p\"}");
        nanos.add(System.nanoTime() - start);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
      }
      report("503 while PostgreSQL is away for " + AWAY_SECONDS + " s", nanos);
      postgres.restart();
      long start = System.nanoTime();
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> operator.post("/api/v1/import", "{\"project\":\"p\"}").statusCode() == 202);
      await().atMost(Duration.ofMinutes(2)).until(() -> caravan.jobsOf("a.csv").size() == 1);
      System.out.printf(
          "CAPACITY works again %.1f s after PostgreSQL is back%n",
          (System.nanoTime() - start) / 1e9);
    } finally {
      postgres.close();
    }
  }
}
