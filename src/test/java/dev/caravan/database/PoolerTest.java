package dev.caravan.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caravan.testing.FreePort;
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
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** PgBouncer in transaction mode: each transaction may be in another session. */
class PoolerTest {

  private static final Path PGBOUNCER = Path.of("/usr/sbin/pgbouncer");

  @TempDir Path folder;
  private Process pooler;
  private String url;

  @BeforeEach
  void start() throws Exception {
    assumeTrue(Files.isExecutable(PGBOUNCER), "no pgbouncer on this machine");
    URI database = URI.create(TestDatabase.create().url().substring("jdbc:".length()));
    int port = FreePort.find();
    Path config = folder.resolve("pgbouncer.ini");
    Files.write(
        config,
        List.of(
            "[databases]",
            "pooled = host=127.0.0.1 port=%d user=caravan dbname=%s"
                .formatted(database.getPort(), database.getPath().substring(1)),
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            "listen_port = " + port,
            "unix_socket_dir =",
            "auth_type = any",
            "pool_mode = transaction",
            "default_pool_size = 2",
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
