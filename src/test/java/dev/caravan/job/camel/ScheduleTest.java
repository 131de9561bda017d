package dev.caravan.job.camel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.database.Database;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import dev.caravan.job.camel.Schedule.Misfire;
import dev.caravan.job.jdbc.ScheduleFires;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each instant of a schedule is decided on once, whoever fires and whoever was away. */
class ScheduleTest {

  private static final Instant NOON = Instant.parse("2026-06-01T12:00:00Z");
  private static final ZoneId UTC = ZoneId.of("UTC");
  private static final ZoneId ZURICH = ZoneId.of("Europe/Zurich");

  private final TestDatabase test = TestDatabase.create();
  private final Sql sql = new Sql(test.url(), null, null);
  private Database database;

  @BeforeEach
  void open() {
    database = Database.open("test", test.url(), null, null, 4);
    database.migrate();
  }

  @AfterEach
  void close() {
    database.close();
  }

  private Schedule schedule(String node, String cron, ZoneId zone, Misfire misfire, Instant now) {
    return new Schedule(
        "nightly",
        cron,
        zone,
        misfire,
        () -> new JobRequest("test", "p", "work"),
        new ScheduleFires(database.dataSource(), node),
        Clock.fixed(now, UTC));
  }

  private Schedule hourly(String node, Misfire misfire, Instant now) {
    return schedule(node, "0 0 * * * ?", UTC, misfire, now);
  }

  private void begun(Instant at) throws Exception {
    sql.execute(
        "INSERT INTO caravan.schedule_fire (schedule, fire_time, outcome, node) VALUES ('nightly', '%s', 'skipped', 'a')"
            .formatted(at));
  }

  @Test
  void nodesThatFireForTheSameInstantLaunchOneJob() throws Exception {
    hourly("a", Misfire.SKIP, NOON).fire(NOON);
    hourly("b", Misfire.SKIP, NOON.plusSeconds(90)).fire(NOON);
    assertThat(sql.rows("SELECT state FROM caravan.job")).containsExactly("queued");
    assertThat(sql.rows("SELECT outcome, node FROM caravan.schedule_fire"))
        .containsExactly("launched|a");
  }

  @Test
  void anInstantWhoseLastJobHasNotEndedIsSkippedWithTheReason() throws Exception {
    hourly("a", Misfire.SKIP, NOON).fire(NOON);
    hourly("a", Misfire.SKIP, NOON).fire(NOON.plusSeconds(3600));
    assertThat(
            sql.rows("SELECT outcome, reason FROM caravan.schedule_fire ORDER BY fire_time").get(1))
        .startsWith("skipped|job ")
        .endsWith("had not ended");
  }

  @Test
  void afterAnOutageOneJobStandsForAllThatWasMissed() throws Exception {
    begun(NOON);
    Instant back = NOON.plus(Duration.ofHours(3)).plus(Duration.ofMinutes(10));
    hourly("a", Misfire.RUN_ONCE, back).catchUp();
    hourly("b", Misfire.RUN_ONCE, back).catchUp();
    assertThat(
            sql.rows(
                "SELECT to_char(fire_time AT TIME ZONE 'UTC', 'HH24'), outcome, reason FROM caravan.schedule_fire ORDER BY fire_time OFFSET 1"))
        .containsExactly(
            "13|skipped|missed; the last one missed stands for it",
            "14|skipped|missed; the last one missed stands for it",
            "15|launched|null");
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("1");
  }

  @Test
  void orNoneAndThatIsOnRecord() throws Exception {
    begun(NOON);
    hourly("a", Misfire.SKIP, NOON.plus(Duration.ofHours(2)).plusSeconds(600)).catchUp();
    assertThat(
            sql.rows(
                "SELECT outcome, reason FROM caravan.schedule_fire ORDER BY fire_time OFFSET 1"))
        .containsExactly("skipped|missed", "skipped|missed");
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("0");
  }

  @Test
  void nodesHaveTwoMinutesBeforeAnInstantIsMissedAndANewScheduleMissedNothing() throws Exception {
    begun(NOON.minusSeconds(60));
    hourly("a", Misfire.RUN_ONCE, NOON.plusSeconds(119)).catchUp();
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("0");
    hourly("a", Misfire.RUN_ONCE, NOON.plusSeconds(121)).catchUp();
    assertThat(sql.value("SELECT count(*) FROM caravan.job")).isEqualTo("1");
    sql.execute("DELETE FROM caravan.schedule_fire");
    hourly("a", Misfire.RUN_ONCE, Instant.now()).catchUp();
    assertThat(sql.rows("SELECT reason FROM caravan.schedule_fire"))
        .containsExactly("the schedule begins");
  }

  @Test
  void aTimeThatTheClocksSkipDoesNotComeAndOneThatComesTwiceComesOnce() {
    Instant beforeSpring = Instant.parse("2026-03-28T12:00:00Z");
    Schedule spring =
        schedule("a", "0 30 2 * * ?", ZURICH, Misfire.SKIP, beforeSpring.plus(Duration.ofDays(2)));
    assertThat(spring.missed(beforeSpring)).containsExactly(Instant.parse("2026-03-30T00:30:00Z"));
    Instant beforeAutumn = Instant.parse("2026-10-24T12:00:00Z");
    Schedule autumn =
        schedule("a", "0 30 2 * * ?", ZURICH, Misfire.SKIP, beforeAutumn.plus(Duration.ofDays(1)));
    assertThat(autumn.missed(beforeAutumn)).hasSize(1);
  }

  @Test
  void refusesWhatIsNoCronExpression() {
    assertThatThrownBy(() -> schedule("a", "0 0 25 * * ?", UTC, Misfire.SKIP, NOON))
        .hasFieldOrPropertyWithValue("code", FailureCode.CONFIG_INVALID)
        .hasMessageContaining("0 0 25 * * ?");
  }
}
