package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.Fields;
import dev.caravan.record.RecordStream;
import dev.caravan.record.Reject;
import dev.caravan.record.RejectCode;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class SecondStreamTest {

  private static final int ROWS = 30_000;
  private static final String FILLING = "x".repeat(900);
  private static final LoadSpec SPEC =
      LoadSpec.upsert(new TableName("public", "big"), List.of("id"));

  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);

  private record Origin(UUID loadId) implements LoadOrigin {
    @Override
    public String pipeline() {
      return "big";
    }

    @Override
    public String file() {
      return "big.csv";
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
      return false;
    }
  }

  /** Wide rows; after some the source waits until a second stream is there, or breaks. */
  private final class BigSource implements RecordStream {
    private final Fields fields = new Fields();
    private final boolean waits;
    private final int breaksAt;
    private Runnable atHalf = () -> {};
    private long line;

    BigSource(boolean waits, int breaksAt) {
      this.waits = waits;
      this.breaksAt = breaksAt;
    }

    @Override
    public List<String> columns() {
      return List.of("id", "a");
    }

    @Override
    public Step next() throws IOException {
      if (line == ROWS) {
        return Step.END;
      }
      if (line == breaksAt) {
        throw new IOException("the source broke");
      }
      if (waits && line == ROWS / 2) {
        org.awaitility.Awaitility.await().until(() -> !stagingTables().equals(List.of("0")));
        atHalf.run();
      }
      line++;
      // every key twice, the two far from each other; one row has none
      String id = line == 77 ? "" : Long.toString(line % (ROWS / 2));
      byte[] bytes = (id + FILLING + line).getBytes(StandardCharsets.UTF_8);
      fields.clear();
      fields.add(0, id.length(), id.isEmpty() ? Fields.NULL : 0);
      fields.add(id.length(), bytes.length - id.length(), 0);
      fields.at(bytes, 0);
      return Step.RECORD;
    }

    @Override
    public Fields fields() {
      return fields;
    }

    @Override
    public Reject reject() {
      return null;
    }

    @Override
    public Reject rejectCurrent(int column, RejectCode code, String message) {
      return new Reject(line, -1, columns().get(column), code, message, "");
    }

    @Override
    public long line() {
      return line;
    }

    @Override
    public void close() {}
  }

  private List<String> stagingTables() {
    return sql.rows("SELECT count(*) FROM pg_class WHERE relname ~ '^staging_' AND relkind = 'r'");
  }

  private LoadResult load(DataSource from, BigSource source) throws IOException {
    return Loader.load(from, SPEC, new Origin(UUID.randomUUID()), source);
  }

  private void createTarget() throws SQLException {
    sql.execute("CREATE TABLE big (id int PRIMARY KEY, a text)");
  }

  @Test
  void mergesBothStreamsAsOneLoad() throws Exception {
    createTarget();
    LoadResult result = load(database.dataSource(), new BigSource(true, -1));
    assertThat(result.counts().toString())
        .isEqualTo(
            "{read=30000, inserted=15000, updated=0, unchanged=0, superseded=14999, rejected=1, filtered=0, deleted=0}");
    assertThat(sql.rows("SELECT count(*) FROM big WHERE right(a, 5)::int < " + ROWS / 2))
        .as("the later line won, whichever stream it took")
        .containsExactly("0");
    assertThat(stagingTables()).containsExactly("0");
  }

  @Test
  void leavesNothingBehindWhenTheSourceBreaks() throws Exception {
    createTarget();
    assertThatThrownBy(() -> load(database.dataSource(), new BigSource(true, ROWS - 10)))
        .hasMessage("the source broke");
    assertThat(sql.rows("SELECT count(*) FROM big")).containsExactly("0");
    assertThat(stagingTables()).containsExactly("0");
  }

  @Test
  void failsWithTheLoadWhenItsSessionIsEnded() throws Exception {
    createTarget();
    BigSource source = new BigSource(true, -1);
    source.atHalf =
        () ->
            sql.rows(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE query LIKE 'COPY caravan.staging_%'""");
    assertThatThrownBy(() -> load(database.dataSource(), source))
        .isInstanceOfSatisfying(
            CaravanException.class,
            e -> assertThat(e.code()).isEqualTo(FailureCode.DB_UNAVAILABLE));
    assertThat(sql.rows("SELECT count(*) FROM big")).containsExactly("0");
    assertThat(load(database.dataSource(), new BigSource(false, -1)).inserted()).isEqualTo(15_000);
  }

  @Test
  void doesWithoutWhenThePoolHasNoConnectionLeft() throws Exception {
    createTarget();
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.url());
    config.setMaximumPoolSize(1);
    try (HikariDataSource one = new HikariDataSource(config)) {
      assertThat(load(one, new BigSource(false, -1)).inserted()).isEqualTo(15_000);
    }
  }

  /** A pooler gives them to somebody else. */
  @Test
  void leavesBothSessionsAsTheyWere() throws Exception {
    createTarget();
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.url());
    config.setMaximumPoolSize(2);
    try (HikariDataSource two = new HikariDataSource(config)) {
      assertThat(load(two, new BigSource(true, -1)).inserted()).isEqualTo(15_000);
      try (Connection one = two.getConnection();
          Connection other = two.getConnection();
          Connection fresh = database.dataSource().getConnection()) {
        assertThat(left(one)).isEqualTo(left(fresh));
        assertThat(left(other)).isEqualTo(left(fresh));
      }
    }
  }

  private static List<String> left(Connection session) throws SQLException {
    String sql =
        """
        SELECT name || ' = ' || setting FROM pg_settings
          WHERE source = 'session' AND NOT starts_with(name, 'transaction_')
        UNION ALL SELECT 'lock ' || objid FROM pg_locks
          WHERE pid = pg_backend_pid() AND locktype = 'advisory'
        UNION ALL SELECT 'table ' || relname FROM pg_class
          WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
        UNION ALL SELECT 'channel ' || pg_listening_channels()""";
    try (Statement statement = session.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      List<String> left = new ArrayList<>();
      while (row.next()) {
        left.add(row.getString(1));
      }
      return left;
    }
  }

  @Test
  void sweepsWhatAKilledLoadLeft() throws Exception {
    createTarget();
    load(database.dataSource(), new BigSource(false, -1));
    sql.execute("CREATE UNLOGGED TABLE caravan.staging_%s (line bigint)".formatted("0".repeat(32)));
    try (Connection zombie = database.dataSource().getConnection();
        Statement statement = zombie.createStatement()) {
      zombie.setAutoCommit(false);
      statement.execute("LOCK TABLE caravan.staging_" + "0".repeat(32));
      load(database.dataSource(), new BigSource(false, -1));
      assertThat(stagingTables()).as("somebody still holds it").containsExactly("1");
      zombie.rollback();
    }
    load(database.dataSource(), new BigSource(false, -1));
    assertThat(stagingTables()).containsExactly("0");
  }
}
