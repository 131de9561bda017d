package dev.caravan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.testing.UnrulySftpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that call a server, against one. */
class ServerCommandsTest {

  private static final String NEVER = "schedule: {cron: '0 0 0 1 1 ? 2099'}\n";

  @TempDir static Path shared;
  @TempDir Path folder;
  private static UnrulySftpServer sftp;
  private static Sql sql;
  private static TestCaravan caravan;
  private static String key;
  private final List<Typed> all = new ArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    sftp = UnrulySftpServer.start(shared.resolve("mina"));
    Map<String, String> gone = Map.of("host", "127.0.0.1", "port", "" + FreePort.find());
    TestDatabase database = TestDatabase.create();
    sql = new Sql(database.url(), null, null);
    caravan =
        TestCaravan.start(
            database,
            shared,
            TestCaravan.project("p", "t", sftp.login()) + NEVER,
            TestCaravan.project("planned", "fresh", sftp.login()) + NEVER,
            TestCaravan.project("nowhere", "n", with(sftp.login(), gone)) + NEVER);
    key = caravan.key("default", Role.ADMIN);
  }

  private static Map<String, String> with(Map<String, String> some, Map<String, String> more) {
    Map<String, String> both = new HashMap<>(some);
    both.putAll(more);
    return both;
  }

  @AfterAll
  static void stop() throws Exception {
    caravan.close();
    sftp.close();
  }

  @BeforeEach
  void cleanUp() throws IOException {
    Path export = sftp.file("x.csv").getParent();
    try (var files = Files.list(export)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.delete(file);
      }
    }
  }

  @AfterEach
  void noOutputHasTheKey() {
    assertThat(all).isNotEmpty().noneMatch(typed -> typed.all().contains(key));
  }

  private Typed typed(String... args) {
    return typed(Map.of("CARAVAN_API_KEY", key), args);
  }

  private Typed typed(Map<String, String> environment, String... args) {
    List<String> with = new ArrayList<>(List.of(args));
    with.addAll(List.of("--url", caravan.anybody().base().toString()));
    Typed typed = Typed.command(environment, with.toArray(String[]::new));
    all.add(typed);
    return typed;
  }

  private static JsonNode json(Typed typed) throws IOException {
    return new ObjectMapper().readTree(typed.out());
  }

  @Test
  void aRunThatIsWaitedForSaysHowItEnded() throws Exception {
    sftp.put("good.csv", "id,name\ng1,one\ng2,two\n");
    Typed good = typed("run", "p", "--wait");
    assertThat(good.exitCode()).as(good.all()).isZero();
    assertThat(good.out())
        .contains("completed", "1 files, 2 read, 2 inserted")
        .containsPattern("good.csv +public.t +loaded +2 +0 +0");
    assertThat(caravan.ids("t")).contains("g1", "g2");

    sftp.put("some.csv", "id,name\nr1,one\n,no key\n");
    Typed rejects = typed("run", "p", "--wait", "--json");
    assertThat(rejects.exitCode()).as(rejects.all()).isEqualTo(3);
    assertThat(rejects.err()).isEmpty();
    String job = json(rejects).at("/job_id").asText();
    assertThat(typed("rejects", job).out()).containsPattern("3 +id +NULL_KEY +open +,no key +\\S");
    rejectsAreWrittenOnce(job);

    sftp.put("bad.csv", "no,key\n1,2\n");
    Typed bad = typed("run", "p", "--wait");
    assertThat(bad.exitCode()).isEqualTo(1);
    assertThat(bad.out()).contains("failed", "UNKNOWN_COLUMN", "bad.csv");
    assertThat(bad.err()).contains("Job ");
  }

  private void rejectsAreWrittenOnce(String job) {
    Path csv = folder.resolve("rejects.csv");
    assertThat(typed("rejects", job, "--csv", csv.toString()).exitCode()).isZero();
    assertThat(csv).content().contains("NULL_KEY");
    Typed again = typed("rejects", job, "--csv", csv.toString());
    assertThat(again.exitCode()).isEqualTo(1);
    assertThat(again.err()).contains("is not overwritten");
  }

  @Test
  void theSameKeyIsTheSameRunAndJobsAreListedInPages() throws Exception {
    Typed first = typed("run", "p", "--idempotency-key", "k1", "--json");
    Typed second = typed("run", "p", "--idempotency-key", "k1", "--json");
    assertThat(first.exitCode()).isZero();
    String job = json(first).at("/job_id").asText();
    assertThat(json(second).at("/job_id").asText()).isEqualTo(job);
    typed("run", "p", "--wait");
    JsonNode jobs = json(typed("jobs", "--limit", "2", "--json", "--status", "completed"));
    assertThat(jobs).hasSize(2);
    assertThat(typed("jobs", "--limit", "1").err()).contains("There are more");
    assertThat(typed("jobs", job).out()).contains("Job " + job + " of p: completed");
    Typed late = typed("jobs", job, "--cancel");
    assertThat(late.exitCode()).isEqualTo(1);
    assertThat(late.err()).contains("TOO_LATE");
  }

  @Test
  void looksAtAProjectBeforeItIsLoaded() {
    sftp.put("early.csv", "id,name\ne1,one\n");
    assertThat(typed("test", "p").out())
        .containsPattern("database +ok")
        .containsPattern("sftp +ok +1 files match");
    assertThat(typed("preview", "p").out())
        .containsPattern("early.csv +15 +\\S+ +public.t")
        .containsPattern("id +name\ne1 +one");
    assertThat(typed("plan", "p").exitCode()).isZero();
    Typed nowhere = typed("test", "nowhere");
    assertThat(nowhere.exitCode()).isEqualTo(1);
    assertThat(nowhere.out())
        .containsPattern("database +ok")
        .containsPattern("sftp +failed +SOURCE_FAILED .*SOURCE_UNAVAILABLE");
    assertThat(typed("plan", "nowhere").exitCode()).isEqualTo(1);
  }

  @Test
  void aPlanIsTheSqlOfTheTablesThatAreMissingAndRunsNoneOfIt() throws Exception {
    sftp.put("planned.csv", "id,na me\np1,one\n");
    Typed plan = typed("plan", "planned");
    assertThat(plan.exitCode()).as(plan.all()).isZero();
    assertThat(plan.out())
        .contains("CREATE TABLE \"public\".\"fresh\" (\"id\" text, \"na me\" text);\n");
    assertThat(json(typed("plan", "planned", "--json")).at("/ddl").toString())
        .contains("CREATE TABLE");
    assertThat(sql.value("SELECT to_regclass('fresh')")).isEqualTo("null");
    sql.execute(plan.out()); // it is for psql as it stands
    assertThat(typed("plan", "planned").out())
        .isEqualTo("-- all tables are as the files need them\n");
    assertThat(typed("run", "planned", "--wait").exitCode()).isZero();
    assertThat(caravan.ids("fresh")).containsExactly("p1");
  }

  @Test
  void mendedRejectsAreReplayedByAJobThatIsWaitedFor() throws Exception {
    sftp.put("mend.csv", "id,name\nm1,one\n,two\n,three\n");
    String job = json(typed("run", "p", "--wait", "--json")).at("/job_id").asText();
    Typed nothing = typed("rejects", job, "--replay");
    assertThat(nothing.exitCode()).isEqualTo(1);
    assertThat(nothing.out()).contains("failed", "EMPTY_FILE");

    mend(job, 3, "m2,two");
    Typed replay = typed("rejects", job, "--replay");
    assertThat(replay.exitCode()).as(replay.all()).isZero();
    assertThat(replay.out()).contains("of p: completed", "1 read, 1 inserted");
    assertThat(replay.err()).contains("Job ").doesNotContain(job);
    assertThat(caravan.ids("t")).contains("m1", "m2");
    assertThat(typed("rejects", job).out())
        .containsPattern("3 +id +NULL_KEY +replayed")
        .containsPattern("4 +id +NULL_KEY +open");

    mend(job, 4, ",again");
    Typed refused = typed("rejects", job, "--replay", "--file", "mend.csv", "--json");
    assertThat(refused.exitCode()).as(refused.all()).isEqualTo(1);
    assertThat(json(refused).at("/error_code").asText()).isEqualTo("TOO_MANY_REJECTS");
    assertThat(typed("rejects", job, "--replay", "--csv", "x").exitCode()).isEqualTo(2);
  }

  private static void mend(String job, int line, String raw) {
    Api api =
        caravan
            .anybody()
            .with("Authorization", "Bearer " + key)
            .with("Content-Type", "application/json");
    String path = "/api/v1/jobs/%s/rejects/%d".formatted(job, line);
    byte[] body = "{\"raw\":\"%s\"}".formatted(raw).getBytes(StandardCharsets.UTF_8);
    assertThat(api.send("PUT", path, body).statusCode()).isEqualTo(204);
  }

  @Test
  void aWrongKeyIsNamedByItsSourceOnly() throws Exception {
    String canary = "cvn_canary0000000_thisisnokeyofanyone";
    Path file = Files.writeString(folder.resolve("a.key"), canary + "\n");
    Typed wrong = typed(Map.of(), "jobs", "--key-file", file.toString());
    assertThat(wrong.exitCode()).isEqualTo(1);
    assertThat(wrong.err()).contains("UNAUTHENTICATED", "The key is that of " + file);
    Typed noHeader = typed(Map.of("CARAVAN_API_KEY", canary + "\nX: y"), "jobs");
    assertThat(noHeader.exitCode()).isEqualTo(1);
    assertThat(noHeader.err()).contains("CARAVAN_API_KEY", "characters that no key has");
    assertThat(all).noneMatch(typed -> typed.all().contains("canary0"));
    Path data = Files.createDirectory(folder.resolve("data"));
    Map<String, String> local = Map.of("CARAVAN_DATA", data.toString());
    assertThat(typed(local, "jobs").err()).contains("There is no API key");
    Files.writeString(data.resolve("admin.key"), key);
    assertThat(typed(local, "jobs").exitCode()).isZero();
    Typed elsewhere = Typed.command(local, "jobs", "--url", "https://caravan.example.com");
    assertThat(elsewhere.err()).contains("There is no API key");
  }

  @Test
  void whoDoesNotAnswerIsNamed() {
    String url = "http://127.0.0.1:" + FreePort.find();
    Typed typed = Typed.command(Map.of("CARAVAN_API_KEY", key), "jobs", "--url", url);
    all.add(typed);
    assertThat(typed.exitCode()).isEqualTo(1);
    assertThat(typed.err()).contains(url + " does not answer");
    assertThat(typed("run", "q", "--wait").err())
        .contains("INVALID", "body /project: is not the name of a project");
    assertThat(typed("run", "p", "--nonsense").exitCode()).isEqualTo(2);
  }

  @Test
  void aBackfillLaunchesEachDayOnce() throws Exception {
    day("2026-01-30", "b1,one\n");
    day("2026-01-31", "b2,two\n");
    day("2026-02-02", "b3,three\n");
    Typed first = backfill();
    assertThat(first.exitCode()).as(first.all()).isZero();
    assertThat(first.err()).contains("2026-02-01: there is no ");
    List<TestCaravan.Job> jobs = uploads();
    assertThat(jobs).extracting(TestCaravan.Job::state).containsOnly("completed").hasSize(3);
    assertThat(jobs)
        .extracting(TestCaravan.Job::file)
        .containsExactly("d_2026-01-30.csv", "d_2026-01-31.csv", "d_2026-02-02.csv");
    assertThat(caravan.ids("t")).contains("b1", "b2", "b3");

    Typed again = backfill();
    assertThat(again.exitCode()).as(again.all()).isZero();
    assertThat(again.out()).contains("completed, launched before");
    assertThat(uploads()).hasSize(3);

    day("2026-01-31", "b2,corrected\n");
    assertThat(backfill().exitCode()).isZero();
    assertThat(uploads()).hasSize(4);

    day("2026-01-30", "b1,one\n,no key\n");
    Files.writeString(folder.resolve("d_2026-02-02.csv"), "other\n1\n");
    Typed failed = backfill();
    assertThat(failed.exitCode()).as(failed.all()).isEqualTo(1);
    int launched = uploads().size();
    assertThat(backfill().exitCode()).isEqualTo(1);
    assertThat(uploads()).as("the day that failed is tried again").hasSize(launched + 1);
  }

  private Typed backfill() {
    String files = folder.resolve("d_{yyyy-MM-dd}.csv").toString();
    return typed(
        "backfill", "p", "--from", "2026-01-30", "--to", "2026-02-02", "--files", files, "--wait");
  }

  private void day(String date, String rows) throws IOException {
    Files.writeString(folder.resolve("d_" + date + ".csv"), "id,name\n" + rows);
  }

  private static List<TestCaravan.Job> uploads() {
    return caravan.jobs(job -> job.kind().equals("import-upload"));
  }
}
