package dev.caravan.job.camel;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.IfRunning;
import dev.caravan.job.JobRequest;
import dev.caravan.job.Launch;
import dev.caravan.job.jdbc.ScheduleFires;
import java.sql.SQLException;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.TimeZone;
import java.util.function.Supplier;
import org.quartz.CronExpression;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Launches a job at each instant of a calendar. Quartz fires on every node; an instant is decided
 * on once, and what nobody decided on in time, because all nodes or the database were away, is made
 * up for as the misfire policy says. Either is on record.
 *
 * <p>Instants are Quartz's: a time that the clocks skip in spring does not come that day, and one
 * that comes twice in autumn fires the first time.
 */
public final class Schedule {

  private static final Logger LOG = LoggerFactory.getLogger(Schedule.class);

  /** Nodes get this long to fire before an instant counts as missed. */
  private static final Duration LATE = Duration.ofMinutes(2);

  /** More than that is not looked at one by one. */
  private static final int MAX_MISSED = 1_000;

  private final String name;
  private final CronExpression cron;
  private final Misfire misfire;
  private final Supplier<JobRequest> request;
  private final ScheduleFires fires;
  private final Clock clock;

  /** What becomes of instants that were missed. */
  public enum Misfire {
    /** One job stands for all of them. */
    RUN_ONCE,
    /** None is launched. */
    SKIP
  }

  /**
   * @param name of the schedule, also what its jobs have in common: one runs at a time
   * @param cron of Quartz: seconds, minutes, hours, day of month, month, day of week
   * @throws CaravanException CONFIG_INVALID when the expression is none, or never fires again
   */
  public Schedule(
      String name,
      String cron,
      ZoneId zone,
      Misfire misfire,
      Supplier<JobRequest> request,
      ScheduleFires fires,
      Clock clock) {
    this.name = name;
    this.cron = parse(name, cron);
    this.cron.setTimeZone(TimeZone.getTimeZone(zone));
    this.misfire = misfire;
    this.request = request;
    this.fires = fires;
    this.clock = clock;
  }

  /**
   * Makes sure that an expression is one, and that its time comes.
   *
   * @throws CaravanException CONFIG_INVALID when it is none, or never fires again
   */
  public static void check(String name, String cron) {
    parse(name, cron);
  }

  private static CronExpression parse(String name, String cron) {
    try {
      CronExpression expression = new CronExpression(cron);
      if (expression.getNextValidTimeAfter(Date.from(Instant.now())) == null) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "schedule of %s: cron: found '%s', which never comes; allowed is an expression of Quartz such as 0 0 2 * * ?"
                .formatted(name, cron));
      }
      return expression;
    } catch (ParseException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "schedule of %s: cron: found '%s': %s; allowed is an expression of Quartz such as 0 0 2 * * ?"
              .formatted(name, cron, e.getMessage()),
          e);
    }
  }

  /** Its name. */
  String name() {
    return name;
  }

  /** When, in which zone. */
  CronExpression cron() {
    return cron;
  }

  /** Launches for an instant, unless it was decided on before. */
  void fire(Instant instant) throws SQLException {
    Optional<Launch> launch =
        fires.launch(name, instant, request.get().single(name, IfRunning.SKIP));
    launch.ifPresent(l -> LOG.info("Schedule {} at {}: {}", name, instant, l));
  }

  /** Decides on the instants that were missed. */
  public void catchUp() throws SQLException {
    List<Instant> missed = missed(fires.lastOrBegin(name));
    for (int i = 0; i < missed.size(); i++) {
      if (misfire == Misfire.RUN_ONCE && i == missed.size() - 1) {
        fire(missed.get(i));
      } else {
        String reason =
            misfire == Misfire.SKIP ? "missed" : "missed; the last one missed stands for it";
        fires.skip(name, missed.get(i), reason);
      }
    }
  }

  /** Those between the last one decided on and now, the oldest first. */
  List<Instant> missed(Instant last) {
    Instant until = clock.instant().minus(LATE);
    List<Instant> missed = new ArrayList<>();
    Date next = cron.getNextValidTimeAfter(Date.from(last));
    while (next != null && next.toInstant().isBefore(until) && missed.size() < MAX_MISSED) {
      missed.add(next.toInstant());
      next = cron.getNextValidTimeAfter(next);
    }
    return missed;
  }
}
