package dev.caravan.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Queries here name no tenant: what they do not see, row-level security hides. */
class TenantReadsTest {

  private static final List<String> READABLE =
      List.of("job", "job_load", "job_error", "job_log", "job_progress", "job_report", "api_key");

  private final TestDatabase test = TestDatabase.create();
  private Database database;
  private TenantReads reads;

  @BeforeEach
  void fill() throws SQLException {
    database = Database.open("test", test.url(), null, null, 3);
    database.migrate();
    reads = TenantReads.prepare(database.dataSource());
    Sql sql = new Sql(test.url(), null, null);
    for (String tenant : List.of("a", "aa", "a_b")) {
      sql.execute(
          """
          WITH j AS (
            INSERT INTO caravan.job (id, kind, project, state, tenant)
            VALUES (gen_random_uuid(), 'k', 'p', 'queued', '%1$s') RETURNING id),
          f AS (INSERT INTO caravan.job_load (job_id, load_id, label, project, status)
            SELECT id, id, 'f', 'p', 'running' FROM j),
          e AS (INSERT INTO caravan.job_error (job_id, attempt, code, message)
            SELECT id, 1, 'c', 'm' FROM j),
          l AS (INSERT INTO caravan.job_log (job_id, at, node, level, message)
            SELECT id, now(), 'n', 'INFO', 'm' FROM j),
          p AS (INSERT INTO caravan.job_progress (job_id, epoch, step, bytes, rows)
            SELECT id, 1, 's', 0, 0 FROM j)
          INSERT INTO caravan.api_key (id, tenant, role, name, prefix, key_sha256)
          VALUES (gen_random_uuid(), '%1$s', 'viewer', 'n', '%1$s', sha256('x'))"""
              .formatted(tenant));
    }
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static long rows(Connection connection, String table) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(1) FROM caravan." + table)) {
      row.next();
      return row.getLong(1);
    }
  }

  private long seen(String tenant, String table) throws SQLException {
    return reads.read(tenant, connection -> rows(connection, table));
  }

  @Test
  void aTenantSeesOneRowOfEachTable() throws SQLException {
    assertThat(reads.guarded()).isTrue();
    for (String table : READABLE) {
      for (String tenant : List.of("a", "aa", "a_b")) {
        assertThat(seen(tenant, table)).as("%s of %s", table, tenant).isEqualTo(1);
      }
      for (String nobody : List.of("", "b", "A", "a%", "a' OR 'a'='a")) {
        assertThat(seen(nobody, table)).as("%s of %s", table, nobody).isZero();
      }
    }
  }

  @Test
  void withoutATenantThereIsNothing() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SET ROLE " + TenantReads.ROLE);
      for (String table : READABLE) {
        assertThat(rows(connection, table)).as(table).isZero();
      }
    }
  }

  @Test
  void readsDoNotWriteAndSeeNoHash() {
    for (String statement :
        List.of(
            "UPDATE caravan.job SET tenant = 'b'",
            "DELETE FROM caravan.job",
            "SELECT key_sha256 FROM caravan.api_key",
            "SELECT * FROM caravan.idempotency_key",
            "SELECT * FROM caravan.scheduled_tasks")) {
      assertThatThrownBy(() -> reads.read("a", c -> c.createStatement().execute(statement)))
          .as(statement)
          .isInstanceOf(SQLException.class)
          .hasMessageMatching("(?s).*(permission denied|read-only transaction).*");
    }
  }

  @Test
  void theNextUserOfTheConnectionIsNobodysTenant() throws SQLException {
    reads.read("a", c -> rows(c, "job"));
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(rows(connection, "job")).isEqualTo(3);
      assertThat(connection.getAutoCommit()).isTrue();
      assertThat(connection.isReadOnly()).isFalse();
    }
  }
}
