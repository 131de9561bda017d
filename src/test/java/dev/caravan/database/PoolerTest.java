package dev.caravan.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caravan.embedded.EmbeddedSftpServer;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** PgBouncer in transaction mode: each transaction may be in another session. */
class PoolerTest {

  private static final Path PGBOUNCER = Path.of("/usr/sbin/pgbouncer");

  @TempDir Path folder;
  private TestDatabase database;
  private Process pooler;
  private String url;

  @BeforeEach
  void start() throws Exception {
    assumeTrue(Files.isExecutable(PGBOUNCER), "no pgbouncer on this machine");
    database = TestDatabase.create();
    URI server = URI.create(database.url().substring("jdbc:".length()));
    int port = FreePort.find();
    Path config = folder.resolve("pgbouncer.ini");
    Files.write(
        config,
        List.of(
            "[databases]",
            "pooled = host=127.0.0.1 port=%d user=caravan dbname=%s"
                .formatted(server.getPort(), server.getPath().substring(1)),
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            "listen_port = " + port,
            "unix_socket_dir =",
            "auth_type = any",
            "pool_mode = transaction",
            "default_pool_size = 5",
            "ignore_startup_parameters = extra_float_digits"));
    List<String> command = new ArrayList<>(List.of(PGBOUNCER.toString()));
    if (System.getProperty("user.name").equals("root")) {
      command.addAll(List.of("-u", "nobody")); // it does not run as root
    }
    command.add(config.toString());
    pooler =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    await().atMost(10, TimeUnit.SECONDS).until(() -> answers(port));
    url = "jdbc:postgresql://127.0.0.1:%d/pooled".formatted(port);
  }

  @AfterEach
  void stop() throws InterruptedException {
    if (pooler != null) {
      pooler.destroy();
      pooler.waitFor();
    }
  }

  @Test
  void severalPoolsShareItsSessionsAndLeaveNothingInThem() throws SQLException {
    try (Database one = open("one");
        Database two = open("two")) {
      one.migrate();
      for (Database database : List.of(one, two, one)) {
        try (Connection connection = database.dataSource().getConnection();
            PreparedStatement query =
                connection.prepareStatement(
                    """
                    SELECT current_setting('idle_in_transaction_session_timeout'),
                      current_setting('search_path'), count(*) FROM caravan.job WHERE tenant = ?""")) {
          for (int time = 0; time < 10; time++) { // the driver keeps a statement from the fifth on
            query.setString(1, "t");
            try (ResultSet rows = query.executeQuery()) {
              rows.next();
              assertThat(rows.getString(1)).isEqualTo("0");
              assertThat(rows.getString(2)).isEqualTo("public");
            }
          }
        }
      }
    }
  }

  /** One file is large: its load has a second stream. */
  @Test
  void importsGoThroughIt() throws Exception {
    Path inbox = Files.createDirectories(folder.resolve("remote/in"));
    for (int file = 0; file < 11; file++) {
      Files.writeString(inbox.resolve("small" + file + ".csv"), rows(file * 10, 10));
    }
    Files.writeString(inbox.resolve("large.csv"), rows(1000, 100_000));
    try (EmbeddedSftpServer sftp =
            EmbeddedSftpServer.start(
                folder.resolve("remote"), folder.resolve("key"), 0, "u", "pw");
        TestCaravan caravan =
            TestCaravan.start(
                database,
                folder,
                Map.of("caravan.database.url", url, "caravan.database.username", "caravan"),
                project(sftp))) {
      for (int file = 0; file < 11; file++) {
        assertThat(caravan.awaitEnd("small" + file + ".csv").state()).isEqualTo("completed");
      }
      assertThat(caravan.awaitEnd("large.csv").state()).isEqualTo("completed");
      assertThat(caravan.rows("t")).isEqualTo(100_110);
      assertThat(caravan.texts("SELECT code || ': ' || message FROM caravan.job_error")).isEmpty();
      assertThat(
              caravan.texts(
                  """
                  SELECT application_name FROM pg_stat_activity
                  WHERE datname = current_database() AND application_name LIKE 'caravan load%'"""))
          .as("sessions that go on under the name of a load")
          .isEmpty();
    }
  }

  private static String project(EmbeddedSftpServer sftp) {
    return TestCaravan.project(
        "p",
        "t",
        Map.of(
            "host",
            "127.0.0.1",
            "port",
            String.valueOf(sftp.port()),
            "username",
            "u",
            "password",
            "pw",
            "host_key",
            sftp.knownHostsLine().replaceFirst("^\\S+ ", "").strip(),
            "remote_path",
            "/in",
            "poll_seconds",
            "1",
            "stable_seconds",
            "0"));
  }

  private static String rows(int first, int count) {
    StringBuilder csv = new StringBuilder("id,name\n");
    for (int id = first; id < first + count; id++) {
      csv.append(id).append(",name of ").append(id).append('\n');
    }
    return csv.toString();
  }

  private Database open(String name) {
    return Database.open(name, url, "caravan", null, 3, Duration.ofSeconds(10));
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }
}
