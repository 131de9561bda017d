package dev.caravan.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caravan.database.Database;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a pool and PostgreSQL do when they hear nothing of each other any more. */
class SilenceTest {

  private final TestDatabase test = TestDatabase.create();
  private TcpProxy network;
  private Database database;

  @BeforeEach
  void open() throws Exception {
    URI server = URI.create(test.url().substring("jdbc:".length()));
    network = new TcpProxy(server.getPort());
    database =
        Database.open(
            "silence",
            "jdbc:postgresql://127.0.0.1:" + network.port() + server.getPath(),
            "caravan",
            null,
            2,
            Duration.ofSeconds(2));
  }

  @AfterEach
  void close() throws Exception {
    database.close();
    network.close();
  }

  @Test
  void givesUpAConnectionWhosePacketsAreSwallowed() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      network.blackHole(true);
      network.blackHole(false); // new connections come through
      long before = System.nanoTime();
      assertThatThrownBy(() -> statement.execute("SELECT 1")).isInstanceOf(SQLException.class);
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(8));
    }
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(connection.isValid(2)).isTrue();
    }
  }

  @Test
  void losesTheLocksOfATransactionThatSleeps() throws SQLException {
    String locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711";
    Sql sql = new Sql(test.url(), null, null);
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("SELECT pg_advisory_xact_lock(4711)");
      assertThat(sql.value(locks)).isEqualTo("1");
      await().atMost(Duration.ofSeconds(8)).until(() -> sql.value(locks).equals("0"));
      assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
    }
  }
}
