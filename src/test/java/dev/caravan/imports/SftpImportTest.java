package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.testing.FreePort;
import dev.caravan.testing.TestImport;
import dev.caravan.testing.TestSftpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files on an SFTP server, with everything that servers and files do (reliability list B85 to
 * B102).
 */
class SftpImportTest {

  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final String LOADS = "SELECT count(*) FROM caravan.load";
  private static final String POLL_FAILURES =
      "SELECT code FROM caravan.job WHERE kind = 'poll-sftp' ORDER BY created_at";

  @TempDir Path folder;
  private Path export;
  private TestSftpServer server;
  private TestImport caravan;

  @BeforeEach
  void serve() throws Exception {
    export = Files.createDirectories(folder.resolve("root/export"));
    server = TestSftpServer.start(folder.resolve("root"), 0);
    caravan = caravanFor(server.port(), "p", server.hostKey());
  }

  private TestImport caravanFor(int port, String password, String hostKey) throws Exception {
    return new TestImport(
        folder,
        "sftp://u@127.0.0.1:" + port,
        Map.of("caravan.sftp.password", password, "caravan.sftp.host-key", hostKey));
  }

  @AfterEach
  void stop() throws Exception {
    caravan.close();
    server.close();
  }

  private void put(String name, String csv) throws IOException {
    Files.writeString(export.resolve(name), csv);
  }

  private static String rows(int from, int to) {
    StringBuilder csv = new StringBuilder();
    for (int i = from; i < to; i++) {
      csv.append(i).append(",some text of row ").append(i).append('\n');
    }
    return csv.toString();
  }

  private void awaitMoved(String name) {
    await().atMost(PATIENCE).until(() -> !Files.exists(export.resolve(name)));
  }

  @Test
  void loadsAndMovesAndKeepsBothOfOneName() throws Exception {
    put("a.csv", "id,x\n1,a\n");
    caravan.start();
    awaitMoved("a.csv");
    put("a.csv", "id,x\n1,b\n");
    awaitMoved("a.csv");
    caravan.await("SELECT x FROM a", "b");
    caravan.await("SELECT count(*) FROM caravan.job_file WHERE moved_at IS NOT NULL", "2");
    try (var done = Files.list(export.resolve(".done"))) {
      assertThat(done.map(p -> p.getFileName().toString()).sorted().toList())
          .hasSize(2)
          .allMatch(name -> name.matches("a[.]csv([.]\\d{8}T\\d{9})?"));
    }
  }

  @Test
  void skipsTheSameContentUnderAnyNameAndPacking() throws Exception {
    put("a.csv", "id,x\n1,a\n");
    caravan.project("remote_path: /export", "primary_key: id, db_schema: s").start();
    awaitMoved("a.csv");
    put("a.csv", "id,x\n1,a\n");
    caravan.await("SELECT count(*) FROM caravan.job_file WHERE status = 'same_content'", "1");
    gzip("a.csv.gz", "id,x\n1,a\n");
    caravan.await("SELECT count(*) FROM caravan.job_file WHERE status = 'same_content'", "2");
    assertThat(caravan.sql().rows(LOADS)).containsExactly("1");
    assertThat(
            caravan
                .sql()
                .value(
                    "SELECT count(*) FROM caravan.job_file f JOIN caravan.load l ON l.load_id = f.same_as"))
        .isEqualTo("2");
    assertThat(caravan.printed()).contains("skipped: the same content was loaded before");
    put("a.csv", "id,x\n1,b\n");
    caravan.await("SELECT x FROM s.a", "b");
  }

  private void gzip(String name, String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    Files.write(export.resolve(name), bytes.toByteArray());
  }

  @Test
  void refusesDamagedAndUnknownArchivesAndBombs() throws Exception {
    gzip("bomb.csv.gz", "id\n" + "1\n".repeat(40_000_000));
    gzip("cut.csv.gz", "id,x\n" + rows(0, 2000));
    byte[] whole = Files.readAllBytes(export.resolve("cut.csv.gz"));
    Files.write(export.resolve("cut.csv.gz"), java.util.Arrays.copyOf(whole, whole.length / 2));
    put("zip.csv", "PK\u0003\u0004");
    caravan.start();
    caravan.awaitJob("bomb.csv.gz", "failed", "DECOMPRESS_LIMIT");
    caravan.awaitJob("cut.csv.gz", "failed", "ARCHIVE");
    caravan.awaitJob("zip.csv", "failed", "ARCHIVE");
    caravan.await(LOADS, "0");
  }

  @Test
  void waitsForAFileThatGrows() throws Exception {
    caravan.start();
    Path file = export.resolve("a.csv");
    put("a.csv", "id,x\n");
    AtomicInteger next = new AtomicInteger();
    // grows more often than it is polled, and every time with another time stamp
    await()
        .pollInterval(Duration.ofMillis(300))
        .atMost(PATIENCE)
        .until(
            () -> {
              int from = next.getAndAdd(10);
              Files.writeString(file, rows(from, from + 10), StandardOpenOption.APPEND);
              Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(from)));
              return from >= 100;
            });
    awaitMoved("a.csv");
    assertThat(caravan.sql().rows("SELECT count(*) FROM a")).containsExactly("110");
    assertThat(caravan.sql().rows(LOADS)).containsExactly("1");
  }

  @Test
  void waitsForTheDoneMarker() throws Exception {
    put("a.csv", "id\n1\n");
    put("b.csv", "id\n1\n");
    put("b.csv.done", "");
    caravan
        .project("remote_path: /export, done_marker: \"{name}.done\"", "primary_key: id")
        .start();
    awaitMoved("b.csv");
    assertThat(export.resolve("a.csv")).exists();
    put("a.csv.done", "");
    awaitMoved("a.csv");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 40_000, 300_000, 1_000_000})
  void readsAgainWhenTheConnectionIsCut(int offset) throws Exception {
    put("a.csv", "id,x\n" + rows(0, 60_000));
    AtomicInteger cuts = new AtomicInteger();
    server.onRead =
        (session, file, at) -> {
          if (at >= offset && cuts.getAndIncrement() == 0) {
            session.close(true);
          }
        };
    caravan.start();
    awaitMoved("a.csv");
    assertThat(cuts.get()).isPositive();
    caravan.await("SELECT count(*) FROM a", "60000");
    assertThat(caravan.sql().rows(LOADS)).containsExactly("1");
    assertThat(caravan.sql().rows("SELECT DISTINCT code FROM caravan.job_error"))
        .isSubsetOf(List.of("SOURCE_UNAVAILABLE", "SOURCE_INCOMPLETE"))
        .isNotEmpty();
  }

  @Test
  void loadsNothingOfAFileThatChangesWhileItIsRead() throws Exception {
    put("a.csv", "id,x\n" + rows(0, 60_000));
    AtomicInteger changes = new AtomicInteger();
    server.onRead =
        (session, file, at) -> {
          if (at > 100_000 && changes.getAndIncrement() == 0) {
            Files.writeString(file, rows(60_000, 60_010), StandardOpenOption.APPEND);
          }
        };
    caravan.start();
    awaitMoved("a.csv");
    caravan.await("SELECT count(*) FROM a", "60010");
    assertThat(caravan.sql().rows("SELECT DISTINCT code FROM caravan.job_error"))
        .containsExactly("SOURCE_CHANGED");
    assertThat(caravan.sql().rows(LOADS)).containsExactly("1");
  }

  @Test
  void movesLaterWhatCannotBeMovedNowWithoutLoadingItAgain() throws Exception {
    server.denyMoves = true;
    put("a.csv", "id\n1\n");
    caravan.start();
    caravan.awaitJob("a.csv", "completed", null);
    caravan.await("SELECT count(*) FROM caravan.job_file WHERE moved_at IS NULL", "1");
    caravan.stop();
    server.denyMoves = false;
    caravan.start();
    awaitMoved("a.csv");
    caravan.await("SELECT count(*) FROM caravan.job_file WHERE moved_at IS NOT NULL", "1");
    assertThat(caravan.sql().rows("SELECT count(*) FROM caravan.job")).containsExactly("1");
  }

  @Test
  void leavesFilesInPlaceWhenToldSoAndLoadsThemOnce() throws Exception {
    put("a.csv", "id\n1\n");
    caravan.project("remote_path: /export, after_load: keep", "primary_key: id").start();
    caravan.awaitJob("a.csv", "completed", null);
    put("b.csv", "id\n1\n");
    caravan.awaitJob("b.csv", "completed", null);
    caravan.stop();
    caravan.start();
    put("c.csv", "id\n1\n");
    caravan.awaitJob("c.csv", "completed", null);
    assertThat(caravan.sql().rows("SELECT count(*) FROM caravan.job")).containsExactly("3");
    assertThat(export.resolve("a.csv")).exists();
  }

  @Test
  void loadsViaATemporaryFileThatIsGoneAfterwards() throws Exception {
    put("a.csv", "id,x\n" + rows(0, 60_000));
    caravan.project("remote_path: /export, download: temp_file", "primary_key: id").start();
    awaitMoved("a.csv");
    assertThat(caravan.sql().rows("SELECT count(*) FROM a")).containsExactly("60000");
    try (var left =
        Files.newDirectoryStream(
            Path.of(System.getProperty("java.io.tmpdir")), "caravan-*.download")) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void triesAFileThatCannotBeLoadedOnceAndAgainWhenItChanges() throws Exception {
    put("a.csv", "no,x\n1,a\n");
    caravan.start();
    caravan.awaitJob("a.csv", "failed", "HEADER_MISMATCH");
    put("b.csv", "id\n1\n");
    awaitMoved("b.csv");
    put("c.csv", "id\n1\n");
    awaitMoved("c.csv"); // polls went by
    assertThat(caravan.sql().rows("SELECT count(*) FROM caravan.job_file WHERE file = 'a.csv'"))
        .containsExactly("1");
    assertThat(export.resolve("a.csv")).exists();
    assertThat(caravan.printed()).contains("FAILED HEADER_MISMATCH").contains("key column 'id'");
    put("a.csv", "id,x\n1,abc\n");
    awaitMoved("a.csv");
  }

  @Test
  void namesAFileThatMayNotBeRead() throws Exception {
    server.denyOpening = true;
    put("a.csv", "id\n1\n");
    caravan.start();
    caravan.awaitJob("a.csv", "failed", "SOURCE_DENIED");
    assertThat(export.resolve("a.csv")).exists();
  }

  @Test
  void takesNamesForNothingButNames() throws Exception {
    List<String> harmless =
        List.of("-rf.csv", "$(id).csv", "${file:name}.csv", "#{x}.csv", "a b.csv");
    for (String name : harmless) {
      put(name, "id,name\n" + harmless.indexOf(name) + ",\"" + name + "\"\n");
    }
    for (String name : List.of("a\nb.csv", "*.csv", "a\\b.csv", "x[1].csv")) {
      put(name, "id,name\nbad,bad\n");
    }
    caravan.project("remote_path: /export", "primary_key: id");
    Path project = folder.resolve("p.yaml");
    Files.writeString(
        project,
        Files.readString(project)
            + "tables:\n  - {file_pattern: \"*.csv\", target_table: names, primary_key: id}\n");
    caravan.start();
    harmless.forEach(this::awaitMoved);
    assertThat(caravan.sql().rows("SELECT name FROM names ORDER BY id"))
        .containsExactlyElementsOf(harmless);
    assertThat(export.resolve("*.csv")).exists();
  }

  @Test
  void asksAServerThatRefusesThePasswordOnlyOnce() throws Exception {
    put("a.csv", "id\n1\n");
    caravan = caravanFor(server.port(), "wr0ng-secret", server.hostKey()).start();
    caravan.await(POLL_FAILURES, "AUTH_FAILED");
    Instant seen = Instant.now();
    await().atMost(PATIENCE).until(() -> Instant.now().isAfter(seen.plusSeconds(4))); // polls go by
    assertThat(server.loginAttempts.get()).isEqualTo(1);
    assertThat(caravan.sql().value("SELECT message FROM caravan.job"))
        .contains("sftp://u@127.0.0.1", "refused")
        .doesNotContain("wr0ng-secret");
  }

  @Test
  void refusesAServerWithAnotherHostKey() throws Exception {
    caravan = caravanFor(server.port(), "p", TestSftpServer.randomHostKey()).start();
    caravan.await(POLL_FAILURES, "HOST_KEY");
    assertThat(server.loginAttempts.get()).isZero();
    assertThat(caravan.sql().value("SELECT message FROM caravan.job")).contains("host key");
  }

  @Test
  void refusesAServerWhoseHostKeyIsUnknown() throws Exception {
    Path knownHosts = folder.resolve("known_hosts");
    Files.writeString(knownHosts, "elsewhere " + server.hostKey() + "\n");
    caravan =
        new TestImport(
                folder,
                "sftp://u@127.0.0.1:" + server.port(),
                Map.of(
                    "caravan.sftp.password",
                    "p",
                    "caravan.sftp.known-hosts",
                    knownHosts.toString()))
            .start();
    caravan.await(POLL_FAILURES, "HOST_KEY");
    assertThat(server.loginAttempts.get()).isZero();
  }

  @Test
  void refusesAServerThatOffersOnlyCbc() throws Exception {
    try (TestSftpServer old = TestSftpServer.startWithOldCiphers(folder.resolve("root"))) {
      caravan = caravanFor(old.port(), "p", old.hostKey()).start();
      caravan.await(POLL_FAILURES, "SSH_ALGORITHMS");
    }
  }

  @Test
  void pollsAgainWhenTheServerIsBack() throws Exception {
    int port = FreePort.find();
    put("a.csv", "id\n1\n");
    String key = server.hostKey();
    caravan = caravanFor(port, "p", key).start();
    caravan.await(POLL_FAILURES, "SOURCE_UNAVAILABLE");
    try (TestSftpServer back = TestSftpServer.start(folder.resolve("root"), port)) {
      // another server on the port has another key: that, too, is noticed
      caravan.await(POLL_FAILURES, "SOURCE_UNAVAILABLE", "HOST_KEY");
      assertThat(back.loginAttempts.get()).isZero();
    }
  }

  @Test
  void loadsAgainAFileThatWasReplacedAfterItsLoad() throws Exception {
    put("a.csv", "id,x\n1,a\n");
    server.denyMoves = true;
    caravan.start();
    caravan.awaitJob("a.csv", "completed", null);
    Path replacement = folder.resolve("new.csv");
    Files.writeString(replacement, "id,x\n1,later\n");
    Files.move(replacement, export.resolve("a.csv"), StandardCopyOption.REPLACE_EXISTING);
    caravan.await("SELECT x FROM a", "later");
  }
}
