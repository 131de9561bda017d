package dev.caravan.job.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.database.Database;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Attempt;
import dev.caravan.job.IfRunning;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobProgress;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobRequest.IdempotencyKey;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.JobState;
import dev.caravan.job.Launch;
import dev.caravan.job.Launch.Outcome;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What waits, what is admitted, and what an attempt may write. */
class JobQueueTest {

  private static final JobQueue.Limit FOUR = new JobQueue.Limit("default", 4, 4);

  private static final int MAX_QUEUED = 2_000;

  private final TestDatabase test = TestDatabase.create();
  private final Sql sql = new Sql(test.url(), null, null);
  private final List<String> announced = new CopyOnWriteArrayList<>();
  private final List<JobEnd> told = new CopyOnWriteArrayList<>();
  private Database database;
  private JdbcJobRepository jobs;
  private JobQueue queue;
  private JobLauncher launcher;

  @BeforeEach
  void open() {
    database = Database.open("test", test.url(), null, null, 16);
    database.migrate();
    jobs =
        new JdbcJobRepository(
            database.dataSource(),
            "here",
            (c, job, effect) -> announced.add(effect.payload()),
            List.of(told::add),
            List.of());
    queue = new JobQueue(database.dataSource(), jobs);
    launcher = new JobLauncher(database.dataSource(), MAX_QUEUED, () -> {}, List.of());
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static JobRequest request() {
    return new JobRequest("test", "p", "work").attempts(3, Duration.ofMinutes(1));
  }

  private UUID launch(JobRequest request) throws SQLException {
    Launch launch = launcher.launch(request);
    assertThat(launch.outcome()).isEqualTo(Outcome.LAUNCHED);
    return launch.jobId();
  }

  /** Ids of the admitted jobs in the order in which db-scheduler takes them. */
  private List<UUID> admitted() {
    return sql
        .rows(
            """
            SELECT j.id FROM caravan.scheduled_tasks t
            JOIN caravan.job j ON j.admission = t.task_instance::bigint
            WHERE t.task_name = 'attempt' ORDER BY t.priority DESC, j.admission""")
        .stream()
        .map(UUID::fromString)
        .toList();
  }

  private Attempt claim(UUID job) throws SQLException {
    return queue.claim(admission(job), "here").orElseThrow();
  }

  private long admission(UUID job) {
    return Long.parseLong(sql.value("SELECT admission FROM caravan.job WHERE id = '" + job + "'"));
  }

  private String state(UUID job) {
    return sql.value(
        "SELECT concat_ws(' ', state, code) FROM caravan.job WHERE id = '%s'".formatted(job));
  }

  private boolean end(Attempt attempt, JobState state, FailureCode code) throws SQLException {
    String message = code == null ? null : "why";
    return jobs.end(
        new JobEnd(attempt.jobId(), "k", "p", state, attempt.number(), code, message, List.of()),
        attempt.epoch());
  }

  @Test
  void aLaunchIsPartOfTheCallersTransaction() throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      JobLauncher.launch(connection, request());
      connection.rollback();
      assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("0");
      JobLauncher.launch(connection, request());
      connection.commit();
    }
    assertThat(queue.admit(FOUR)).isEqualTo(1);
  }

  @Test
  void aThousandTriggersWithOneKeyAreOneJob() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(16);
    try {
      Callable<Launch> trigger =
          () -> launcher.launch(request().idempotencyKey(new IdempotencyKey("k", "body")));
      List<Future<Launch>> launches =
          threads.invokeAll(IntStream.range(0, 1_000).mapToObj(i -> trigger).toList());
      List<Launch> answers = new ArrayList<>();
      for (Future<Launch> launch : launches) {
        answers.add(launch.get());
      }
      assertThat(answers.stream().map(Launch::jobId).distinct()).hasSize(1);
      assertThat(answers.stream().filter(a -> a.outcome() == Outcome.LAUNCHED)).hasSize(1);
    } finally {
      threads.shutdownNow();
    }
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("1");
    assertThatThrownBy(
            () -> launcher.launch(request().idempotencyKey(new IdempotencyKey("k", "other"))))
        .hasFieldOrPropertyWithValue("code", FailureCode.IDEMPOTENCY_CONFLICT);
    launch(request().tenant("another").idempotencyKey(new IdempotencyKey("k", "other")));
  }

  @Test
  void aTenantHasAShareOfWhatWaitsInAQueueAndOthersDoNotFeelIt() throws Exception {
    sql.execute(
        """
        INSERT INTO caravan.job (id, kind, project, state, tenant, queue, route)
        SELECT gen_random_uuid(), 'test', 'p', 'queued', 'greedy', 'default', 'work'
        FROM generate_series(2, %d)"""
            .formatted(MAX_QUEUED));
    JobRequest greedy = request().tenant("greedy").idempotencyKey(new IdempotencyKey("k", "a"));
    UUID last = launch(greedy);
    SourceFile file = new SourceFile("f", 1, Instant.EPOCH);
    for (JobRequest more :
        List.of(
            request().tenant("greedy"),
            request().tenant("greedy").source(file),
            request().tenant("greedy").idempotencyKey(new IdempotencyKey("other", "a")))) {
      assertThatThrownBy(() -> launcher.launch(more))
          .hasMessageContaining("2000 jobs of the tenant wait in the queue 'default'")
          .extracting("code")
          .isEqualTo(FailureCode.QUEUE_FULL);
    }
    assertThat(launcher.launch(greedy)).isEqualTo(new Launch(Outcome.REPEATED, last));
    launch(request().tenant("greedy").queue("slow", 0));
    launch(request().tenant("modest").source(file));
    sql.execute(
        "UPDATE caravan.job SET state = 'cancelled', completed_at = now() WHERE id = '%s'"
            .formatted(last));
    assertThat(launcher.retry(last)).isPresent();
    assertThatThrownBy(() -> launcher.retry(last)).hasMessageContaining("2000 jobs");
    assertThat(sql.value("SELECT count(*) FROM caravan.idempotency_key")).isEqualTo("1");
    assertThat(
            sql.value(
                "SELECT count(*) FROM caravan.job WHERE tenant = 'greedy' AND state = 'queued' AND queue = 'default'"))
        .isEqualTo("" + MAX_QUEUED);
  }

  @Test
  void whatRunsAlreadyIsTheAnswerOrInTheWayAsTheTriggerAsks() throws Exception {
    UUID first = launch(request().single("nightly", IfRunning.FAIL));
    assertThat(launcher.launch(request().single("nightly", IfRunning.ATTACH)))
        .isEqualTo(new Launch(Outcome.ATTACHED, first));
    assertThat(launcher.launch(request().single("nightly", IfRunning.SKIP)))
        .isEqualTo(new Launch(Outcome.SKIPPED, first));
    assertThatThrownBy(() -> launcher.launch(request().single("nightly", IfRunning.FAIL)))
        .hasFieldOrPropertyWithValue("code", FailureCode.ALREADY_RUNNING)
        .hasMessageContaining(first.toString());
    launch(request().single("nightly", IfRunning.QUEUE));
    launch(request().single("weekly", IfRunning.FAIL));
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("3");
  }

  @Test
  void whatWaitsForTheSameThingIsNotAdmittedBeforeItHasEnded() throws Exception {
    launch(request().single("nightly", IfRunning.QUEUE));
    UUID waits = launch(request().single("nightly", IfRunning.QUEUE));
    launch(request().single("weekly", IfRunning.QUEUE));
    assertThat(queue.admit(FOUR)).isEqualTo(2);
    assertThat(sql.value("SELECT id FROM caravan.job WHERE admission IS NULL"))
        .isEqualTo(waits.toString());
  }

  @Test
  void oneJobOfATargetIsAdmittedAndTheHigherPriorityFirst() throws Exception {
    UUID old = launch(request().target("w/public.t"));
    UUID urgent = launch(request().target("w/public.t").queue("default", 5));
    UUID other = launch(request().target("w/public.u"));
    assertThat(queue.admit(FOUR)).isEqualTo(2);
    assertThat(admitted()).containsExactly(urgent, other);
    assertThat(queue.admit(FOUR)).isZero();
    end(claim(urgent), JobState.COMPLETED, null);
    assertThat(queue.admit(FOUR)).isEqualTo(1);
    assertThat(state(old)).isEqualTo("queued");
    assertThat(admitted()).contains(old, other);
  }

  @Test
  void tenantsTakeTurnsAndNoneHasMoreThanItsShare() throws Exception {
    for (int i = 0; i < 50; i++) {
      launch(request().tenant("flood"));
    }
    for (String tenant : List.of("a", "b")) {
      launch(request().tenant(tenant));
      launch(request().tenant(tenant));
    }
    assertThat(queue.admit(new JobQueue.Limit("default", 4, 4))).isEqualTo(4);
    assertThat(
            sql.rows(
                "SELECT tenant, count(*) FROM caravan.job WHERE admission IS NOT NULL GROUP BY 1 ORDER BY 1"))
        .containsExactly("a|1", "b|1", "flood|2");
    assertThat(queue.admit(new JobQueue.Limit("default", 100, 3))).isEqualTo(3);
    assertThat(
            sql.rows(
                "SELECT tenant, count(*) FROM caravan.job WHERE admission IS NOT NULL GROUP BY 1 ORDER BY 1"))
        .containsExactly("a|2", "b|2", "flood|3");
  }

  @Test
  void queuesDoNotTakeEachOthersRoom() throws Exception {
    launch(request().queue("slow", 0));
    launch(request().queue("slow", 0));
    launch(request());
    assertThat(queue.admit(new JobQueue.Limit("slow", 1, 1))).isEqualTo(1);
    assertThat(queue.admit(FOUR)).isEqualTo(1);
    assertThat(queue.admit(new JobQueue.Limit("slow", 1, 1))).isZero();
  }

  @Test
  void aFileHasOneJobUntilItIsMovedOrMayBeTriedAgain() throws Exception {
    SourceFile file = new SourceFile("a.csv", 10, Instant.parse("2026-01-01T00:00:00Z"));
    UUID first = launch(request().source(file));
    assertThat(launcher.launch(request().source(file)))
        .isEqualTo(new Launch(Outcome.SKIPPED, first));
    assertThat(jobs.taken("p")).containsExactly(file);
    queue.admit(FOUR);
    end(claim(first), JobState.FAILED, FailureCode.SOURCE_UNAVAILABLE);
    assertThat(launcher.launch(request().source(file)).outcome()).isEqualTo(Outcome.SKIPPED);
    sql.execute("UPDATE caravan.job SET completed_at = completed_at - interval '1 minute'");
    assertThat(jobs.taken("p")).isEmpty();
    UUID second = launch(request().source(file));
    jobs.gone(second, "p", file, true, List.of());
    launch(request().source(file));
    launch(request().source(new SourceFile("a.csv", 11, file.modifiedAt())));
  }

  @Test
  void aFileThatFailedForGoodKeepsItsJob() throws Exception {
    SourceFile file = new SourceFile("a.csv", 10, Instant.EPOCH);
    UUID job = launch(request().source(file));
    queue.admit(FOUR);
    end(claim(job), JobState.FAILED, FailureCode.HEADER_MISMATCH);
    sql.execute("UPDATE caravan.job SET completed_at = completed_at - interval '1 day'");
    assertThat(launcher.launch(request().source(file)).outcome()).isEqualTo(Outcome.SKIPPED);
    UUID retry = launcher.retry(job).orElseThrow();
    assertThat(sql.value("SELECT retry_of FROM caravan.job WHERE id = '" + retry + "'"))
        .isEqualTo(job.toString());
    assertThat(launcher.launch(request().source(file)).jobId()).isEqualTo(retry);
    assertThat(launcher.retry(retry)).as("it has not failed").isEmpty();
    assertThat(launcher.retry(UUID.randomUUID())).isEmpty();
  }

  @Test
  void whatNobodyBeganInTimeExpiresAndIsTold() throws Exception {
    UUID late = launch(request().startWithin(Duration.ZERO).callbackUrl("http://x"));
    UUID inTime = launch(request().startWithin(Duration.ofHours(1)));
    queue.expire();
    queue.expire();
    assertThat(state(late)).isEqualTo("cancelled EXPIRED");
    assertThat(state(inTime)).isEqualTo("queued");
    assertThat(announced).containsExactly("http://x");
    assertThat(told).singleElement().isEqualTo(cancelled(late, 0, FailureCode.EXPIRED));
  }

  @Test
  void whatIsAdmittedTooLateIsNotBegunAndWhatWasBegunDoesNotExpire() throws Exception {
    UUID late = launch(request().startWithin(Duration.ZERO));
    UUID begun = launch(request().startWithin(Duration.ofHours(1)));
    queue.admit(FOUR);
    assertThat(queue.claim(admission(late), "n")).isEmpty();
    Attempt attempt = claim(begun);
    sql.execute("UPDATE caravan.job SET expires_at = now()");
    jobs.again(attempt, FailureCode.DB_CONFLICT, "locked", false, Duration.ZERO);
    queue.expire();
    assertThat(state(late)).isEqualTo("cancelled EXPIRED");
    assertThat(state(begun)).isEqualTo("queued");
  }

  private JobEnd cancelled(UUID job, int attempts, FailureCode code) {
    String message = sql.value("SELECT message FROM caravan.job WHERE id = '" + job + "'");
    return new JobEnd(job, "test", "p", JobState.CANCELLED, attempts, code, message, List.of());
  }

  @Test
  void aJobThatManyCancelWhileItEndsIsToldOnce() throws Exception {
    List<UUID> running = new ArrayList<>();
    List<Attempt> attempts = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      running.add(launch(request().callbackUrl("http://x/" + i)));
    }
    queue.admit(FOUR);
    for (UUID job : running) {
      attempts.add(claim(job));
    }
    ExecutorService threads = Executors.newFixedThreadPool(12);
    try {
      List<Callable<Boolean>> ends = new ArrayList<>();
      for (Attempt attempt : attempts) {
        ends.add(() -> jobs.cancel(attempt.jobId()));
        ends.add(() -> end(attempt, JobState.FAILED, FailureCode.INTERNAL));
        ends.add(() -> jobs.cancel(attempt.jobId()));
      }
      int won = 0;
      for (Future<Boolean> ended : threads.invokeAll(ends)) {
        won += ended.get() ? 1 : 0;
      }
      assertThat(won).isEqualTo(4);
    } finally {
      threads.shutdownNow();
    }
    assertThat(announced)
        .containsExactlyInAnyOrder("http://x/0", "http://x/1", "http://x/2", "http://x/3");
    assertThat(told).extracting(JobEnd::jobId).containsExactlyInAnyOrderElementsOf(running);
    for (JobEnd end : told) {
      assertThat(state(end.jobId())).isEqualTo(end.state().text() + " " + end.code());
    }
  }

  @Test
  void onlyTheNewestAttemptWrites() throws Exception {
    UUID job = launch(request());
    queue.admit(FOUR);
    Attempt first = claim(job);
    Attempt second = claim(job); // db-scheduler took the first one's node for dead
    assertThat(List.of(first.epoch(), second.epoch())).containsExactly(1L, 2L);
    assertThat(queue.lost(Set.of(first, second))).containsExactly(first);
    queue.progress(Map.of(second, new JobProgress("reading", 5, 10, 1, List.of())));
    queue.progress(Map.of(first, new JobProgress("merging", 10, 10, 2, List.of())));
    assertThat(sql.value("SELECT epoch || step FROM caravan.job_progress")).isEqualTo("2reading");
    assertThat(end(first, JobState.COMPLETED, null)).isFalse();
    assertThat(jobs.again(first, FailureCode.DB_UNAVAILABLE, "x", false, Duration.ZERO)).isFalse();
    assertThat(state(job)).isEqualTo("running");
    assertThat(end(second, JobState.FAILED, FailureCode.INTERNAL)).isTrue();
    assertThat(end(second, JobState.COMPLETED, null)).isFalse();
    assertThat(state(job)).isEqualTo("failed INTERNAL");
  }

  @Test
  void whatIsTriedAgainWaitsAndWhatIsHandedBackDoesNotCount() throws Exception {
    UUID job = launch(request());
    queue.admit(FOUR);
    jobs.again(claim(job), FailureCode.DB_CONFLICT, "locked", false, Duration.ofHours(1));
    assertThat(queue.admit(FOUR)).isZero();
    sql.execute("UPDATE caravan.job SET run_after = now()");
    queue.admit(FOUR);
    Attempt second = claim(job);
    assertThat(second.number()).isEqualTo(2);
    jobs.again(second, null, null, false, Duration.ZERO);
    queue.admit(FOUR);
    Attempt again = claim(job);
    assertThat(again.number()).isEqualTo(2);
    assertThat(again.epoch()).isEqualTo(3);
    assertThat(sql.rows("SELECT attempt, code FROM caravan.job_error"))
        .containsExactly("1|DB_CONFLICT");
  }

  @Test
  void endedJobsAreDeletedWhenTheyAreOldButNotWhatIsLoadedAndStays() throws Exception {
    UUID old = launch(request());
    UUID stays = launch(request().source(new SourceFile("a.csv", 1, Instant.EPOCH)));
    UUID young = launch(request());
    queue.admit(FOUR);
    for (UUID job : List.of(old, stays, young)) {
      end(claim(job), JobState.COMPLETED, null);
    }
    sql.execute(
        "UPDATE caravan.job SET completed_at = now() - interval '91 days' WHERE id <> '%s'"
            .formatted(young));
    assertThat(queue.deleteEnded(Duration.ofDays(90))).isEqualTo(1);
    assertThat(sql.rows("SELECT id FROM caravan.job").stream().collect(Collectors.toSet()))
        .containsExactlyInAnyOrder(stays.toString(), young.toString());
  }
}
