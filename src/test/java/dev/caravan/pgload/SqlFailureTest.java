package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caravan.database.Database;
import dev.caravan.failure.FailureCode;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

class SqlFailureTest {

  @Test
  void aServerThatCanOnlyBeReadIsAwayForNow() throws Exception {
    TestDatabase test = TestDatabase.create();
    try (Connection connection = test.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SET default_transaction_read_only = on");
      SQLException refused =
          catchThrowableOfType(
              SQLException.class, () -> statement.execute("CREATE TABLE t (a int)"));
      assertThat(SqlFailure.code(refused)).isEqualTo(FailureCode.DB_UNAVAILABLE);
    }
  }

  @Test
  void whatIsAskedOfAConnectionThatBrokeMayWorkOnAnother() throws Exception {
    TestDatabase test = TestDatabase.create();
    try (Database database = Database.open("pool", test.url(), null, null, 1);
        Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SET application_name = 'to be ended'");
      new Sql(test.url(), null, null)
          .value(
              "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'to be ended'");
      SQLException first =
          catchThrowableOfType(SQLException.class, () -> statement.execute("SELECT 1"));
      assertThat(SqlFailure.code(first)).isEqualTo(FailureCode.DB_UNAVAILABLE);
      SQLException after =
          catchThrowableOfType(SQLException.class, () -> connection.createStatement().close());
      assertThat(after.getSQLState()).isNull();
      assertThat(SqlFailure.code(after)).isEqualTo(FailureCode.DB_UNAVAILABLE);
    }
  }
}
