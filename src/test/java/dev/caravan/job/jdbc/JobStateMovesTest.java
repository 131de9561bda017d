package dev.caravan.job.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.database.Database;
import dev.caravan.job.JobState;
import dev.caravan.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JobStateMovesTest {

  private static final TestDatabase DATABASE = TestDatabase.create();

  @BeforeAll
  static void migrate() {
    try (Database database = Database.open("test", DATABASE.url(), null, null, 2)) {
      database.migrate();
    }
  }

  @ParameterizedTest
  @EnumSource
  void theDatabaseAllowsTheMovesOfTheCodeAndNoOther(JobState from) throws SQLException {
    Set<JobState> allowed = EnumSet.noneOf(JobState.class);
    for (JobState to : JobState.values()) {
      if (to != from && moves(from, to)) {
        allowed.add(to);
      }
    }
    assertThat(allowed).isEqualTo(from.next());
  }

  @Test
  void aRefusedMoveIsACheckViolation() throws SQLException {
    assertThat(sqlState(JobState.COMPLETED, JobState.RUNNING)).isEqualTo("23514");
  }

  private static boolean moves(JobState from, JobState to) throws SQLException {
    return sqlState(from, to) == null;
  }

  /** Null when the database lets the job go. */
  private static String sqlState(JobState from, JobState to) throws SQLException {
    try (Connection connection = DATABASE.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          """
          INSERT INTO caravan.job (id, kind, project, state, node, completed_at, code)
          VALUES ('00000000-0000-0000-0000-000000000001', 'test', '', '%s', 'test', %s)"""
              .formatted(from.text(), end(from)));
      try {
        statement.execute(
            "UPDATE caravan.job SET state = '%s', (completed_at, code) = (SELECT %s)"
                .formatted(to.text(), end(to)));
        return null;
      } catch (SQLException e) {
        return e.getSQLState();
      } finally {
        connection.rollback();
      }
    }
  }

  /** The time of the end and the code that the table demands of a job in this state. */
  private static String end(JobState state) {
    boolean over = state.next().isEmpty();
    return (over ? "now()" : "NULL::timestamptz")
        + (state == JobState.FAILED ? ", 'INTERNAL'" : ", NULL::text");
  }
}
