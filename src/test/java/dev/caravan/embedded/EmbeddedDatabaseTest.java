package dev.caravan.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedDatabaseTest {

  /** Of all tests: its first start unpacks the server, which takes seconds. */
  @TempDir static Path temporary;

  private static Path data;

  /** As if an earlier first start had been killed twice: while unpacking, and in initdb. */
  @BeforeAll
  static void firstStartAfterTwoThatWereKilled() throws IOException {
    data = temporary.resolve("with a space").resolve("data");
    Files.createDirectories(data.resolve("postgres-programs/partial/bin"));
    Files.writeString(data.resolve("postgres-programs/partial/bin/postgres"), "half of");
    Files.createDirectories(data.resolve("postgres.unfinished"));
    Files.writeString(data.resolve("postgres.unfinished/PG_VERSION"), "18\n");
    EmbeddedDatabase.start(data, 0).close();
  }

  @Test
  void keepsWhatIsCommittedThroughAPowerCut() throws SQLException {
    try (var database = EmbeddedDatabase.start(data, 0)) {
      for (String setting : List.of("fsync", "synchronous_commit", "full_page_writes")) {
        assertThat(query(database, "SHOW " + setting)).as(setting).containsExactly("on");
      }
      assertThat(query(database, "SHOW server_version_num").get(0)).startsWith("18");
    }
  }

  @Test
  void keepsItsDataBetweenRuns() throws SQLException {
    try (var database = EmbeddedDatabase.start(data, 0)) {
      update(database, "CREATE TABLE between_runs AS SELECT 'Grüße' AS what");
    }
    try (var database = EmbeddedDatabase.start(data, 0)) {
      assertThat(query(database, "SELECT what FROM between_runs")).containsExactly("Grüße");
    }
  }

  @Test
  void letsInOneRoleThatIsNoSuperuserAndOnlyWithItsPassword() throws SQLException {
    try (var database = EmbeddedDatabase.start(data, 0)) {
      assertThat(query(database, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
          .containsExactly("f");
      for (String reach :
          List.of(
              "COPY (SELECT 1) TO PROGRAM 'true'",
              "CREATE TEMP TABLE f (t text); COPY f FROM '/etc/hostname'",
              "SELECT pg_read_file('/etc/hostname')")) {
        assertThatThrownBy(() -> update(database, reach))
            .as(reach)
            .isInstanceOfSatisfying(
                SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("42501"));
      }
      assertRefused(database.jdbcUrl(), database.username(), "wrong");
      assertRefused(database.jdbcUrl(), "postgres", database.password());
      assertRefused(database.jdbcUrl().replaceAll("caravan$", "postgres"), "postgres", "");
    }
  }

  @Test
  void makesTablesInPublicThoughCaravansOwnSchemaHasTheNameOfTheRole() throws SQLException {
    try (var database = EmbeddedDatabase.start(data, 0)) {
      update(database, "CREATE SCHEMA caravan");
      update(database, "CREATE TABLE of_a_user (id int)");
      assertThat(
              query(database, "SELECT 'of_a_user'::regclass::oid = 'public.of_a_user'::regclass"))
          .containsExactly("t");
    }
  }

  private static void assertRefused(String url, String username, String password) {
    assertThatThrownBy(() -> DriverManager.getConnection(url, username, password).close())
        .isInstanceOfSatisfying(
            SQLException.class, e -> assertThat(e.getSQLState()).startsWith("28"));
  }

  @Test
  void listensOnNoOtherAddress() throws IOException {
    assumeThat(System.getProperty("os.name")).as("127.0.0.2 exists").isEqualTo("Linux");
    try (var database = EmbeddedDatabase.start(data, 0)) {
      InetAddress other = InetAddress.getByAddress(new byte[] {127, 0, 0, 2});
      assertThatThrownBy(() -> new Socket(other, database.port()).close())
          .isInstanceOf(ConnectException.class);
    }
  }

  @Test
  void hidesThePasswordAndTheLogFromOtherUsers() throws IOException {
    for (String file : List.of("postgres/caravan.password", "postgres.log")) {
      assertThat(Files.getPosixFilePermissions(data.resolve(file)))
          .as(file)
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
  }

  @Test
  void recoversWhatAKilledCaravanHadCommitted() throws Exception {
    ProcessHandle orphan;
    try (var killed = ChildCaravan.start(data, Map.of())) {
      assertThat(killed.answer()).isEqualTo(ChildCaravan.RUNNING);
      orphan = server();
    }
    assertThat(isRunning(orphan)).as("the server outlives its Caravan").isTrue();
    try (var database = EmbeddedDatabase.start(data, 0)) {
      assertThat(isRunning(orphan)).isFalse();
      assertThat(query(database, "SELECT what FROM kept")).containsExactly("committed");
    }
  }

  @Test
  void refusesTheDirectoryOfACaravanInAnotherProcess() throws IOException {
    try (var other = ChildCaravan.start(data, Map.of())) {
      assertThatThrownBy(() -> EmbeddedDatabase.start(data, 0))
          .isInstanceOfSatisfying(
              CaravanException.class,
              e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
          .hasMessageContaining(data.toRealPath().toString())
          .hasMessageContaining("process " + other.pid());
    }
  }

  @Test
  void holdsItsDirectoryThoughAnotherStartInTheSameProcessFailed() throws IOException {
    try (var database = EmbeddedDatabase.start(data, 0)) {
      assertThat(database.port()).isPositive();
      assertThatThrownBy(() -> EmbeddedDatabase.start(data, 0))
          .hasMessageContaining("process " + ProcessHandle.current().pid());
      try (var other = ChildCaravan.start(data, Map.of())) {
        assertThat(other.answer())
            .startsWith("REFUSED CONFIG_INVALID")
            .contains("process " + ProcessHandle.current().pid());
      }
    }
  }

  @Test
  void leavesTheServerOfItsSuccessorAloneWhenClosedTwice() throws SQLException {
    var first = EmbeddedDatabase.start(data, 0);
    first.close();
    try (var successor = EmbeddedDatabase.start(data, 0)) {
      first.close();
      assertThat(query(successor, "SELECT 1")).containsExactly("1");
    }
  }

  @Test
  void killsAServerThatDoesNotStopInTime() throws Exception {
    try (var database = EmbeddedDatabase.start(data, 0)) {
      update(database, "CREATE TABLE before_the_kill AS SELECT 1 AS x");
      ProcessHandle server = server();
      signal("STOP", server.pid());
      postmaster().stop(Duration.ofMillis(300));
      assertThat(isRunning(server)).isFalse();
    }
    try (var database = EmbeddedDatabase.start(data, 0)) {
      assertThat(query(database, "SELECT x FROM before_the_kill")).containsExactly("1");
    }
  }

  @Test
  void startsWhenAnotherProcessHasTheNumberOfTheOldServer() throws Exception {
    Process stranger = new ProcessBuilder("sleep", "600").start();
    try {
      Files.writeString(
          data.resolve("postgres/postmaster.pid"),
          "%d\n%s\n1\n5432\n\n127.0.0.1\n\nready\n".formatted(stranger.pid(), data));
      try (var database = EmbeddedDatabase.start(data, 0)) {
        assertThat(query(database, "SELECT 1")).containsExactly("1");
      }
      assertThat(stranger.isAlive()).isTrue();
    } finally {
      stranger.destroyForcibly();
    }
  }

  @Test
  void refusesTheDataOfAnotherMajorVersion(@TempDir Path old) throws IOException {
    Files.createDirectories(old.resolve("postgres"));
    Files.writeString(old.resolve("postgres/PG_VERSION"), "17\n");
    assertThatThrownBy(() -> EmbeddedDatabase.start(old, 0))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
        .hasMessageContaining("postgres was made by PostgreSQL 17")
        .hasMessageContaining("pg_dump");
  }

  @Test
  void namesTheSettingOfATakenPort() throws IOException {
    byte[] loopback = {127, 0, 0, 1};
    try (var taken = new ServerSocket(0, 1, InetAddress.getByAddress(loopback))) {
      assertThatThrownBy(() -> EmbeddedDatabase.start(data, taken.getLocalPort()))
          .isInstanceOfSatisfying(
              CaravanException.class,
              e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
          .hasMessageContaining("127.0.0.1:" + taken.getLocalPort())
          .hasMessageContaining("caravan.embedded.database.port");
    }
  }

  @Test
  void showsTheEndOfTheLogWhenTheServerDoesNotStart() throws IOException {
    Path configuration = data.resolve("postgres/postgresql.conf");
    byte[] good = Files.readAllBytes(configuration);
    Files.writeString(configuration, "\nno_such_setting = 1\n", StandardOpenOption.APPEND);
    try {
      assertThatThrownBy(() -> EmbeddedDatabase.start(data, 0))
          .isInstanceOfSatisfying(
              CaravanException.class,
              e -> assertThat(e.code()).isEqualTo(FailureCode.DB_UNAVAILABLE))
          .hasMessageContaining("postgres.log")
          .hasMessageContaining("unrecognized configuration parameter \"no_such_setting\"");
    } finally {
      Files.write(configuration, good);
    }
  }

  @Test
  void tellsRootWhatIsMissingWithoutUnshare() throws IOException {
    assumeThat(System.getProperty("user.name")).isEqualTo("root");
    try (var refused = ChildCaravan.start(data, Map.of("PATH", "/nowhere"))) {
      assertThat(refused.answer())
          .startsWith("REFUSED CONFIG_INVALID")
          .contains("unshare -U", "ordinary user");
    }
  }

  private static Postmaster postmaster() throws IOException {
    Path real = data.toRealPath();
    return new Postmaster(real.resolve("postgres"), real.resolve("postgres-programs"));
  }

  private static ProcessHandle server() throws IOException {
    String pid = Files.readAllLines(data.resolve("postgres/postmaster.pid")).get(0);
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  /**
   * An ended process stays alive for Java until somebody collects its exit; its program is gone.
   */
  private static boolean isRunning(ProcessHandle process) {
    return process.info().command().isPresent();
  }

  private static void signal(String name, long pid) throws Exception {
    new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid).start().waitFor();
  }

  private static Connection connect(EmbeddedDatabase database) throws SQLException {
    return DriverManager.getConnection(
        database.jdbcUrl(), database.username(), database.password());
  }

  private static void update(EmbeddedDatabase database, String sql) throws SQLException {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static List<String> query(EmbeddedDatabase database, String sql) throws SQLException {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<String> values = new ArrayList<>();
      while (rows.next()) {
        values.add(rows.getString(1));
      }
      return values;
    }
  }
}
