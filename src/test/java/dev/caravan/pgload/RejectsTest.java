package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.testing.TestLoads;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Which refused records a replay loads, and which are replayed. */
class RejectsTest {

  private static final LoadSpec PEOPLE =
      LoadSpec.of(new TableName("public", "people"), List.of("id"), LoadMode.UPSERT);

  private final TestLoads loads = new TestLoads();

  private List<String> take(UUID load, UUID replay) throws SQLException {
    try (Connection connection = loads.connection()) {
      return Rejects.fixed(connection, load, replay).records();
    }
  }

  private boolean fix(UUID load, long line, String record) throws SQLException {
    try (Connection connection = loads.connection()) {
      return Rejects.fix(connection, load, line, record);
    }
  }

  private List<String> states(UUID load) throws SQLException {
    try (Connection connection = loads.connection()) {
      return Rejects.list(connection, load, 0, 10).rejects().stream()
          .map(Rejects.StoredReject::status)
          .toList();
    }
  }

  @Test
  void aRecordIsReplayedOnceTheLedgerHasTheLoadThatItWentWith() throws Exception {
    loads.sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
    UUID load = UUID.randomUUID();
    loads.load(load, PEOPLE, "id,name\nx,two\ny,three\nz,four\n1,one\n");
    fix(load, 2, "2,two");
    UUID cutOff = UUID.randomUUID();
    assertThat(take(load, cutOff)).containsExactly("2,two");
    fix(load, 3, "3,three");
    assertThat(take(load, cutOff)).as("another attempt").containsExactly("2,two");
    UUID replay = UUID.randomUUID();
    assertThat(take(load, replay)).as("cutOff has not committed").hasSize(2);
    assertThat(states(load)).containsExactly("fixed", "fixed", "open");
    loads.load(replay, PEOPLE, "id,name\n2,two\n3,three\n");
    assertThat(states(load)).containsExactly("replayed", "replayed", "open");
    assertThat(fix(load, 2, "2,zwei")).isFalse();
    fix(load, 4, "4,four");
    assertThat(take(load, replay)).as("it has committed").containsExactly("2,two", "3,three");
    assertThat(take(load, UUID.randomUUID())).containsExactly("4,four");
  }

  @Test
  void aRecordThatIsFixedOnceMoreGoesWithTheNextReplay() throws Exception {
    loads.sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
    UUID load = UUID.randomUUID();
    loads.load(load, PEOPLE, "id,name\nx,two\n1,one\n");
    fix(load, 2, "2,two");
    UUID replay = UUID.randomUUID();
    take(load, replay);
    assertThat(fix(load, 2, "2,zwei")).isTrue();
    loads.load(replay, PEOPLE, "id,name\n2,two\n");
    assertThat(states(load)).containsExactly("fixed");
    assertThat(take(load, UUID.randomUUID())).containsExactly("2,zwei");
  }
}
