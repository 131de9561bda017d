package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A refused record is shown as it is to be corrected, whoever refused it. */
class ReplayTest {

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);

  @Test
  void aRecordOfAFileWithSemicolonsIsShownAndCorrectedWithThem() throws Exception {
    sql.execute(
        "CREATE TABLE t (price numeric, id int PRIMARY KEY, name text CHECK (name <> 'x'))");
    try (UnrulySftpServer server = UnrulySftpServer.start(folder.resolve("mina"))) {
      String project =
          TestCaravan.project("p", "t", server.login())
              .replace(
                  "primary_key: id", "primary_key: id, delimiter: ';', on_drift: discard_value");
      server.put(
          "a.csv",
          "id;note;name;price\n1;;one;1.5\n2;n;\"two; or \"\"2\"\"\";cheap\n3;n;x;2\n;n;none;3\n");
      try (TestCaravan caravan = TestCaravan.start(database, folder, project)) {
        Api operator = caravan.as("default", Role.OPERATOR);
        String path = "/api/v1/jobs/" + caravan.awaitEnd("a.csv").id() + "/rejects";
        JsonNode page = Api.json(operator.get(path));
        assertThat(page.at("/columns").toString())
            .isEqualTo("[\"id\",\"note\",\"name\",\"price\"]");
        assertThat(page.at("/rejects").findValuesAsText("code"))
            .containsExactly("BAD_VALUE", "CONSTRAINT", "NULL_KEY");
        assertThat(page.at("/rejects").findValuesAsText("raw"))
            .as("of the type check, of the target, of the reader")
            .containsExactly(
                "\"2\";;\"two; or \"\"2\"\"\";\"cheap\"", "\"3\";;\"x\";\"2\"", ";n;none;3");
        for (JsonNode reject : page.at("/rejects")) {
          String corrected =
              reject
                  .at("/raw")
                  .textValue()
                  .replace("cheap", "0.5")
                  .replace("\"x\"", "\"three\"")
                  .replace(";n;none", "4;n;four");
          operator.fix(path + "/" + reject.at("/line").asInt(), corrected);
        }
        HttpResponse<String> replay = operator.send("POST", path + "/replay");
        assertThat(replay.statusCode()).as(replay.body()).isEqualTo(202);
        String job = "/api/v1/jobs/" + Api.json(replay).at("/job_id").textValue();
        JsonNode done =
            await()
                .atMost(Duration.ofSeconds(30))
                .until(
                    () -> Api.json(operator.get(job)),
                    ended -> !ended.at("/completed_at").isNull());
        assertThat(done.at("/result/inserted").asInt()).as(done.toString()).isEqualTo(3);
        assertThat(sql.rows("SELECT id, name, price FROM t ORDER BY id"))
            .containsExactly("1|one|1.5", "2|two; or \"2\"|0.5", "3|three|2", "4|four|3");
      }
    }
  }
}
