package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.Role;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestCaravan.Job;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading a file from a server that does not behave. */
class SftpReadTest {

  @TempDir Path folder;

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
    Map<String, String> sftp = server.login();
    sftp.putAll(more);
    caravan = TestCaravan.start(TestDatabase.create(), folder, TestCaravan.project("p", "t", sftp));
  }

  /** A file of so many rows of 100 bytes each, in place when it is whole. */
  private void putRows(String name, int rows) throws IOException {
    Path file = folder.resolve("rows");
    try (Writer out = Files.newBufferedWriter(file)) {
      out.write("id,name\n");
      for (int i = 0; i < rows; i++) {
        String id = String.valueOf(i);
        out.write(id + "," + "x".repeat(98 - id.length()) + "\n");
      }
    }
    Files.move(file, server.file(name));
  }

  private void append(String name, String text) {
    try {
      Files.writeString(server.file(name), text, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void loadsABigFileWithoutACopyOnTheLocalDisk() throws Exception {
    Set<Path> before = downloads();
    putRows("big.csv", 300_000);
    server.holdAt(10_000_000);
    startCaravan(Map.of());
    await().atMost(Duration.ofSeconds(20)).until(server::isHolding);
    assertThat(downloads()).isEqualTo(before);
    server.release();
    assertThat(caravan.awaitEnd("big.csv").state()).isEqualTo("completed");
    assertThat(caravan.rows("t")).isEqualTo(300_000);
  }

  @Test
  void downloadsToATemporaryFileThatIsGoneAfterTheLoad() throws Exception {
    Set<Path> before = downloads();
    putRows("big.csv", 20_000);
    server.holdAt(1_000_000);
    startCaravan(Map.of("download", "temp_file"));
    await().atMost(Duration.ofSeconds(20)).until(server::isHolding);
    Set<Path> there = downloads();
    there.removeAll(before);
    assertThat(there).isNotEmpty();
    for (Path file : there) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
    }
    server.release();
    assertThat(caravan.awaitEnd("big.csv").state()).isEqualTo("completed");
    assertThat(caravan.rows("t")).isEqualTo(20_000);
    assertThat(before).containsAll(downloads());
  }

  private static Set<Path> downloads() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .filter(file -> file.getFileName().toString().matches("caravan-.*[.]download"))
          .collect(Collectors.toSet());
    }
  }

  @Test
  void waitsForAFileUntilItNoLongerGrows() throws Exception {
    startCaravan(Map.of());
    server.put("grows.csv", "id,name\n0,zero\n");
    long[] row = {0};
    await()
        .pollInterval(Duration.ofMillis(200))
        .during(Duration.ofSeconds(4))
        .atMost(Duration.ofSeconds(6))
        .until(
            () -> {
              append("grows.csv", ++row[0] + ",grown\n");
              return caravan.jobs().isEmpty();
            });
    assertThat(caravan.awaitEnd("grows.csv").state()).isEqualTo("completed");
    assertThat(caravan.rows("t")).isEqualTo(row[0] + 1);
  }

  @Test
  void waitsForTheMarkerFileWhateverTheNameOfTheFileIs() throws Exception {
    List<String> names =
        List.of(
            "$(id).csv",
            "{{x}}.csv",
            "#{1+1}.csv",
            "a.csv",
            "${x}.csv",
            "${file:name}.csv",
            "$simple{body}.csv");
    startCaravan(Map.of("done_marker", "{name}.done"));
    for (String name : names) {
      server.put(name, "id,name\n%s,x\n".formatted(name));
    }
    server.put("b.csv", "id,name\nb,x\n");
    server.put("b.csv.done", "");
    assertThat(caravan.awaitEnd("b.csv").state()).isEqualTo("completed");
    assertThat(caravan.jobs()).hasSize(1);
    for (String name : names) {
      server.put(name + ".done", "");
      assertThat(caravan.awaitEnd(name).state()).as(name).isEqualTo("completed");
    }
    assertThat(caravan.jobs()).hasSize(names.size() + 1);
    assertThat(caravan.rows("t")).isEqualTo(names.size() + 1);
  }

  @Test
  void readsAFileAgainThatChangedWhileItWasRead() throws Exception {
    putRows("changes.csv", 1_000);
    server.beforeRead(() -> append("changes.csv", "more,rows\n"));
    String unpolled = "schedule: {cron: '0 0 0 1 1 ? 2099'}\n"; // a poll would launch another job
    caravan =
        TestCaravan.start(
            TestDatabase.create(),
            folder,
            TestCaravan.project("p", "t", server.login()) + unpolled);
    caravan.as("default", Role.OPERATOR).post("/api/v1/import", "{\"project\":\"p\"}");
    Job job = caravan.awaitEnd("changes.csv");
    assertThat(job.state()).isEqualTo("completed");
    assertThat(caravan.errors(job)).containsExactly("SOURCE_CHANGED");
    assertThat(caravan.rows("t")).isEqualTo(1_001);
    assertThat(caravan.jobs()).hasSize(1);
  }

  @Test
  void loadsAFileOnceWhoseConnectionWasCutAgainAndAgain() throws Exception {
    putRows("cut.csv", 20_000);
    server.cutAt(0L, 300_000L, 1_900_000L);
    startCaravan(Map.of());
    Job job = caravan.awaitEnd("cut.csv");
    assertThat(job.state()).as(job.message()).isEqualTo("completed");
    assertThat(server.cutsLeft()).isZero();
    assertThat(caravan.errors(job)).hasSize(3).allMatch("SOURCE_UNAVAILABLE"::equals);
    assertThat(caravan.rows("t")).isEqualTo(20_000);
  }

  @Test
  void loadsNothingOfAFileWhoseConnectionIsAlwaysCut() throws Exception {
    putRows("cut.csv", 20_000);
    server.cutAt(1_000_000L, 1_000_000L, 1_000_000L, 1_000_000L);
    startCaravan(Map.of());
    Job job = caravan.awaitEnd("cut.csv");
    assertThat(job.state()).isEqualTo("failed");
    assertThat(job.code()).isEqualTo("SOURCE_UNAVAILABLE");
    assertThat(caravan.texts("SELECT to_regclass('t')")).containsOnlyNulls();
    assertThat(server.file("cut.csv")).exists();
  }

  @Test
  void endsAReadThatIsNotAnsweredByAServerThatIsAlive() throws Exception {
    putRows("stalls.csv", 20_000);
    server.holdAt(500_000);
    startCaravan(Map.of());
    Job job = caravan.awaitEnd("stalls.csv");
    assertThat(job.state()).as(job.message()).isEqualTo("completed");
    assertThat(caravan.errors(job)).containsExactly("SOURCE_UNAVAILABLE");
    assertThat(caravan.rows("t")).isEqualTo(20_000);
  }

  @Test
  void goesOnWhenAFileVanishesBeforeItIsOpened() throws Exception {
    server.put("gone.csv", "id,name\n1,one\n");
    server.beforeOpen(() -> server.file("gone.csv").toFile().delete());
    startCaravan(Map.of());
    assertThat(caravan.awaitEnd("gone.csv").code()).isEqualTo("SOURCE_GONE");
    server.put("next.csv", "id,name\n2,two\n");
    assertThat(caravan.awaitEnd("next.csv").state()).isEqualTo("completed");
    assertThat(caravan.ids("t")).containsExactly("2");
  }

  @Test
  void failsWhenTheFileMayNotBeRead() throws Exception {
    server.put("secret.csv", "id,name\n1,one\n");
    server.denyRead(true);
    startCaravan(Map.of());
    Job job = caravan.awaitEnd("secret.csv");
    assertThat(job.code()).isEqualTo("SOURCE_DENIED");
    assertThat(job.message()).contains("secret.csv");
    assertThat(caravan.errors(job)).hasSize(1);
  }

  @Test
  void loadsAgainWhenPostgresEndsTheSessionOfALoad() throws Exception {
    TestDatabase database = TestDatabase.create();
    Sql sql = new Sql(database.url(), null, null);
    putRows("big.csv", 20_000);
    server.holdAt(1_000_000);
    caravan = TestCaravan.start(database, folder, TestCaravan.project("p", "t", server.login()));
    await().atMost(Duration.ofSeconds(20)).until(server::isHolding);
    await()
        .until(
            () ->
                sql.value(
                        """
                        SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity
                        WHERE application_name LIKE 'caravan load%'""")
                    .equals("t"));
    server.release();
    assertThat(caravan.awaitEnd("big.csv").state()).isEqualTo("completed");
    assertThat(caravan.rows("t")).isEqualTo(20_000);
    assertThat(sql.rows("SELECT code FROM caravan.job_error")).containsExactly("DB_UNAVAILABLE");
  }

  @Test
  void loadsAgainWhenTheServerIsAwayForAMoment() throws Exception {
    server.put("a.csv", "id,name\n1,one\n");
    CountDownLatch away = new CountDownLatch(1);
    server.beforeOpen(
        () -> {
          try {
            server.down();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          away.countDown();
        });
    TestDatabase database = TestDatabase.create();
    Sql sql = new Sql(database.url(), null, null);
    caravan = TestCaravan.start(database, folder, TestCaravan.project("p", "t", server.login()));
    away.await();
    await().until(() -> !sql.rows("SELECT code FROM caravan.job_error").isEmpty());
    server.up();
    assertThat(caravan.awaitEnd("a.csv").state()).isEqualTo("completed");
    assertThat(sql.rows("SELECT DISTINCT code FROM caravan.job_error"))
        .containsExactly("SOURCE_UNAVAILABLE");
  }

  @Test
  void aFileThatGoesWhileItsFolderIsListedIsNoFailureButAFolderThatIsGoneIs() throws Exception {
    putRows("here.csv", 1);
    server.loseFilesInListings(1);
    startCaravan(Map.of());
    caravan.awaitMoved("here.csv");
    assertThat(caravan.jobs()).hasSize(1);
    server.loseFilesInListings(2);
    assertThat(caravan.awaitFailedPoll("p").code()).isEqualTo("SOURCE_GONE");
  }
}
