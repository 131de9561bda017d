package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvReader;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of the attempts of one job the newest commits, whatever the others do and whenever they wake. */
class FenceTest {

  private static final LoadSpec SPEC =
      LoadSpec.of(new TableName("public", "t"), List.of(), LoadMode.APPEND);

  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final UUID job = UUID.randomUUID();

  private record Origin(UUID loadId, Optional<Fence> fence) implements LoadOrigin {
    @Override
    public String pipeline() {
      return "test";
    }

    @Override
    public String file() {
      return "t.csv";
    }

    @Override
    public String sha256() {
      return null;
    }

    @Override
    public long bytes() {
      return 0;
    }

    @Override
    public boolean force() {
      return true;
    }
  }

  @BeforeEach
  void createTable() throws SQLException {
    sql.execute("CREATE TABLE t (a text)");
  }

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  private LoadResult load(long epoch, String value) throws IOException {
    return load(epoch, true, new ByteArrayInputStream(bytes("a\n" + value + "\n")));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private LoadResult load(long epoch, boolean mayLoad, InputStream csv) throws IOException {
    Origin origin = new Origin(job, Optional.of(new Fence(job, epoch, mayLoad)));
    try (CsvReader reader = CsvReader.open(csv, CsvFormat.DEFAULT)) {
      return Loader.load(database.dataSource(), SPEC, origin, reader);
    }
  }

  /** A file that does not end before it is released. */
  @SuppressWarnings("InputStreamSlowMultibyteRead") // it has one line
  private static final class Sleeping extends InputStream {
    private final InputStream start = new ByteArrayInputStream(bytes("a\nold\n"));
    private final CountDownLatch asleep = new CountDownLatch(1);
    private final CountDownLatch awake = new CountDownLatch(1);

    @Override
    public int read() throws IOException {
      int b = start.read();
      if (b < 0) {
        asleep.countDown();
        try {
          awake.await();
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
      }
      return b;
    }
  }

  @SuppressWarnings("InputStreamSlowMultibyteRead") // it has none
  private static final class Broken extends InputStream {
    @Override
    public int read() throws IOException {
      throw new IOException("the connection broke");
    }
  }

  private static FailureCode code(Future<?> load) throws InterruptedException {
    try {
      load.get();
    } catch (ExecutionException e) {
      return ((CaravanException) e.getCause()).code();
    }
    throw new AssertionError("the load did not fail");
  }

  private boolean close() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      return Fence.close(connection, job);
    }
  }

  @Test
  void anAttemptThatSleptWhileItReadCannotCommit() throws Exception {
    Sleeping file = new Sleeping();
    Future<LoadResult> first = threads.submit(() -> load(1, true, file));
    file.asleep.await();
    assertThat(load(2, "new").inserted()).isEqualTo(1);
    file.awake.countDown();
    assertThat(code(first)).isIn(FailureCode.DB_UNAVAILABLE, FailureCode.SUPERSEDED);
    assertThat(sql.rows("SELECT a FROM t")).containsExactly("new");
  }

  @Test
  void anAttemptThatBeganLateIsTurnedAwayAtTheMerge() throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      Loader.prepare(connection);
      new Fence(job, 2, true).raise(connection);
    }
    assertThatThrownBy(() -> load(1, "old"))
        .hasFieldOrPropertyWithValue("code", FailureCode.SUPERSEDED)
        .hasMessageContaining("attempt 2 has it");
    assertThat(sql.rows("SELECT a FROM t")).isEmpty();
    assertThat(load(2, "new").inserted()).isEqualTo(1);
  }

  /** As a node that was paused between the lock and the commit. */
  @Test
  void theSessionOfAnAttemptThatSleepsInItsMergeIsEnded() throws Exception {
    try (Connection asleep = database.dataSource().getConnection();
        Statement statement = asleep.createStatement()) {
      Loader.prepare(asleep);
      Fence first = new Fence(job, 1, true);
      first.enter(asleep);
      statement.execute("SET LOCAL application_name = '" + first.session() + "'");
      first.hold(asleep);
      statement.execute("INSERT INTO t VALUES ('old')");
      assertThat(load(2, "new").inserted()).isEqualTo(1);
      assertThatThrownBy(asleep::commit).isInstanceOf(SQLException.class);
    }
    assertThat(sql.rows("SELECT a FROM t")).containsExactly("new");
  }

  @Test
  void anAttemptFindsWhatAnEarlierOneCommitted() throws Exception {
    load(1, "once");
    LoadResult again = load(2, "once");
    assertThat(again.counts()).containsEntry("read", 1L).containsEntry("inserted", 1L);
    assertThat(again.warnings()).singleElement().asString().startsWith("RECOVERED");
    assertThat(sql.rows("SELECT a FROM t")).containsExactly("once");
    LoadResult last = load(3, false, new ByteArrayInputStream(bytes("a\nonce\n")));
    assertThat(last.inserted()).isEqualTo(1);
  }

  @Test
  void whenAllAttemptsAreUsedUpNothingIsLoadedAnyMore() {
    assertThatThrownBy(() -> load(5, false, new ByteArrayInputStream(bytes("a\nx\n"))))
        .hasFieldOrPropertyWithValue("code", FailureCode.ATTEMPTS_EXHAUSTED);
    assertThat(sql.rows("SELECT a FROM t")).isEmpty();
  }

  @Test
  void aCancelledJobCommitsNothingAndItsSessionsEnd() throws Exception {
    Sleeping file = new Sleeping();
    Future<LoadResult> first = threads.submit(() -> load(1, true, file));
    file.asleep.await();
    assertThat(close()).isTrue();
    await()
        .atMost(Duration.ofSeconds(5))
        .until(
            () ->
                sql.rows(
                        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'caravan load %'")
                    .isEmpty());
    file.awake.countDown();
    assertThat(code(first)).isIn(FailureCode.DB_UNAVAILABLE, FailureCode.CANCELLED);
    assertThatThrownBy(() -> load(2, "later"))
        .hasFieldOrPropertyWithValue("code", FailureCode.CANCELLED);
    assertThat(sql.rows("SELECT a FROM t")).isEmpty();
  }

  @Test
  void c5ALoadIsCancelledWhileItLooksForTheRowsThatAreRefused() throws Exception {
    sql.execute(
        """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(0.2); RAISE EXCEPTION 'no'; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()""");
    Future<LoadResult> load =
        threads.submit(
            () -> load(1, true, new ByteArrayInputStream(bytes("a\n" + "x\n".repeat(200)))));
    await()
        .until(
            () ->
                !sql.rows(
                        "SELECT FROM pg_stat_activity WHERE query LIKE '%FROM pg_temp.caravan_each%' AND pid <> pg_backend_pid()")
                    .isEmpty());
    assertThat(close()).isTrue();
    assertThat(code(load)).isIn(FailureCode.DB_UNAVAILABLE, FailureCode.CANCELLED);
    assertThat(sql.rows("SELECT a FROM t")).isEmpty();
    assertThat(sql.rows("SELECT FROM caravan.load")).isEmpty();
  }

  @Test
  void itIsTooLateToCancelWhatIsBeingCommittedOrIs() throws Exception {
    try (Connection merging = database.dataSource().getConnection()) {
      Loader.prepare(merging);
      Fence fence = new Fence(job, 1, true);
      fence.enter(merging);
      fence.hold(merging);
      assertThat(close()).isFalse();
      merging.rollback();
    }
    load(1, "once");
    assertThat(close()).isFalse();
    assertThat(load(2, "once").inserted()).as("the fence is still open").isEqualTo(1);
  }

  @Test
  void aNewAttemptForgetsWhatTheOneBeforeItRefused() throws Exception {
    InputStream cut =
        new SequenceInputStream(
            new ByteArrayInputStream(bytes("a\none\n2,3\n" + "4\n".repeat(100_000))), new Broken());
    assertThatThrownBy(() -> load(1, true, cut)).hasMessageContaining("broke");
    assertThat(refused()).contains("3|2,3");
    load(2, true, new ByteArrayInputStream(bytes("a\n6,7\none\n")));
    assertThat(refused()).containsExactly("2|6,7");
  }

  private List<String> refused() {
    return sql.rows("SELECT line, raw FROM caravan.reject ORDER BY line");
  }
}
