package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestCaravan.Job;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a file once its rows are committed, also over a restart. */
class SftpAfterLoadTest {

  private static final String ONE = "id,name\n1,one\n";
  private static final String TWO = "id,name\n2,two\n";

  @TempDir Path folder;

  private final TestDatabase database = TestDatabase.create();
  private UnrulySftpServer server;
  private TestCaravan caravan;

  @BeforeEach
  void startServer() throws Exception {
    server = UnrulySftpServer.start(folder.resolve("mina"));
  }

  @AfterEach
  void stop() throws Exception {
    if (caravan != null) {
      caravan.close();
    }
    server.close();
  }

  private void startCaravan(Map<String, String> more) throws Exception {
    if (caravan != null) {
      caravan.close();
    }
    Map<String, String> sftp = server.login();
    sftp.putAll(more);
    caravan = TestCaravan.start(database, folder, TestCaravan.project("p", "t", sftp));
  }

  private List<String> done() throws IOException {
    Path done = server.file(".done");
    if (Files.notExists(done)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(done)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private void awaitNothingMore(int jobs) {
    await()
        .during(Duration.ofSeconds(4))
        .atMost(Duration.ofSeconds(6))
        .until(() -> caravan.jobs().size() == jobs);
  }

  @Test
  void movesLoadedFilesAndKeepsBothOfTheSameName() throws Exception {
    startCaravan(Map.of());
    server.put("a.csv", ONE);
    caravan.awaitEnd("a.csv");
    await().until(() -> done().equals(List.of("a.csv")));
    server.put("a.csv", TWO);
    assertThat(caravan.awaitEnd("a.csv", 2).status()).isEqualTo("loaded");
    await().until(() -> done().size() == 2);
    assertThat(done().get(1)).matches("a[.]csv[.]\\d{8}T\\d{9}");
    assertThat(server.file(".done/a.csv")).hasContent(ONE);
    assertThat(server.file("a.csv")).doesNotExist();
    await().until(() -> caravan.jobsOf("a.csv").stream().allMatch(Job::moved));
    assertThat(caravan.ids("t")).containsExactly("1", "2");
  }

  @Test
  void aMoveThatIsDeniedIsMadeUpForWithoutASecondLoad() throws Exception {
    server.denyRename(true);
    server.put("a.csv", ONE);
    startCaravan(Map.of());
    assertThat(caravan.awaitEnd("a.csv").state()).isEqualTo("completed");
    awaitNothingMore(1);
    assertThat(caravan.jobs().get(0).moved()).isFalse();
    startCaravan(Map.of()); // which forgets that the move is to wait
    awaitNothingMore(1);
    server.denyRename(false);
    startCaravan(Map.of());
    await().atMost(Duration.ofSeconds(10)).until(() -> caravan.jobs().get(0).moved());
    assertThat(done()).containsExactly("a.csv");
    assertThat(caravan.jobs()).hasSize(1);
  }

  @Test
  void aFileThatStaysIsLoadedOnceAlsoAfterARestart() throws Exception {
    Map<String, String> keep = Map.of("after_load", "keep");
    server.put("a.csv", ONE);
    startCaravan(keep);
    assertThat(caravan.awaitEnd("a.csv").state()).isEqualTo("completed");
    awaitNothingMore(1);
    startCaravan(keep);
    awaitNothingMore(1);
    assertThat(server.file("a.csv")).exists();
    server.put("a.csv", TWO);
    assertThat(caravan.awaitEnd("a.csv", 2).status()).isEqualTo("loaded");
    assertThat(caravan.ids("t")).containsExactly("1", "2");
  }

  @Test
  void aFileThatIsReplacedBetweenLoadAndMoveIsLoadedToo() throws Exception {
    startCaravan(Map.of());
    server.put("first.csv", ONE);
    caravan.awaitEnd("first.csv");
    try (Connection other = database.dataSource().getConnection();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE t IN SHARE MODE"); // the load has read the file and waits
      server.put("a.csv", "id,name\n1,uno\n");
      await().atMost(Duration.ofSeconds(20)).until(this::aLoadWaits);
      server.put("a.csv", TWO);
      other.commit();
    }
    assertThat(caravan.awaitEnd("a.csv", 2).status()).isEqualTo("loaded");
    assertThat(caravan.texts("SELECT name FROM t ORDER BY id")).containsExactly("uno", "two");
    await().until(() -> done().equals(List.of("a.csv", "first.csv")));
    assertThat(server.file(".done/a.csv")).hasContent(TWO);
  }

  private boolean aLoadWaits() {
    return !caravan.texts("SELECT pid FROM pg_locks WHERE NOT granted").isEmpty();
  }

  @Test
  void aBadFileFailsOnceAndIsTriedAgainWhenItChanges() throws Exception {
    server.put("bad.csv", "no,key\n1,2\n");
    startCaravan(Map.of());
    assertThat(caravan.awaitEnd("bad.csv").code()).isEqualTo("HEADER_MISMATCH");
    awaitNothingMore(1);
    assertThat(server.file("bad.csv")).exists();
    startCaravan(Map.of());
    awaitNothingMore(1);
    server.put("bad.csv", ONE);
    assertThat(caravan.awaitEnd("bad.csv", 2).state()).isEqualTo("completed");
    await().until(() -> done().equals(List.of("bad.csv")));
  }

  /** Lets the first change fail that the trigger is asked about. */
  private void failOnce(String trigger) throws Exception {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SEQUENCE public.asked"); // a rollback does not take numbers back
      statement.execute(
          """
          CREATE FUNCTION public.fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('public.asked') = 1 THEN
              RAISE EXCEPTION 'not the first time';
            END IF;
            RETURN NEW;
          END $$""");
      statement.execute(
          "CREATE TRIGGER fail_once BEFORE %s EXECUTE FUNCTION public.fail_once()"
              .formatted(trigger));
    }
  }

  private void awaitTheEndOf(String file) throws Exception {
    await()
        .atMost(Duration.ofSeconds(40))
        .until(() -> caravan.jobs().stream().anyMatch(Job::ended));
    await().atMost(Duration.ofSeconds(20)).until(() -> done().contains(file));
    assertThat(caravan.jobs()).extracting(Job::state).containsExactly("completed");
  }

  /** The end of a job and the move of its file are two transactions, of two nodes maybe. */
  @Test
  void completesAJobWhoseFileWasMovedBeforeItsEndWasWritten() throws Exception {
    startCaravan(Map.of());
    failOnce("UPDATE ON caravan.job FOR EACH ROW WHEN (NEW.state IN ('completed', 'failed'))");
    server.put("a.csv", ONE);
    awaitTheEndOf("a.csv");
  }

  @Test
  void completesAJobWhoseLoadCouldNotBeRecorded() throws Exception {
    startCaravan(Map.of());
    failOnce("INSERT ON caravan.job_load FOR EACH ROW");
    server.put("a.csv", ONE);
    awaitTheEndOf("a.csv");
    assertThat(caravan.rows("t")).isEqualTo(1);
  }
}
