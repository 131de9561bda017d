package dev.caravan.job.camel;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.component.quartz.QuartzComponent;
import org.quartz.CronScheduleBuilder;
import org.quartz.Job;
import org.quartz.JobBuilder;
import org.quartz.JobDataMap;
import org.quartz.JobDetail;
import org.quartz.JobExecutionContext;
import org.quartz.JobExecutionException;
import org.quartz.JobKey;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All schedules of this node. Quartz, which they share, is given each as an object: no expression
 * becomes part of an address. It fires from the start of the context to its stop.
 */
public final class Schedules {

  private static final Logger LOG = LoggerFactory.getLogger(Schedules.class);
  private static final String GROUP = "caravan";
  private static final String SCHEDULE = "schedule";

  private final CamelContext context;
  private final Map<String, Schedule> all = new ConcurrentHashMap<>();
  private Scheduler quartz;

  /** None yet; Quartz is that of the context. */
  public Schedules(CamelContext context) {
    this.context = context;
  }

  /** From now on all fire; the context has started. */
  public synchronized void start() {
    quartz = context.getComponent("quartz", QuartzComponent.class).getScheduler();
    all.values().forEach(this::schedule);
  }

  /** This one fires, too. */
  public synchronized void add(Schedule schedule) {
    all.put(schedule.name(), schedule);
    if (quartz != null) {
      schedule(schedule);
    }
  }

  private void schedule(Schedule schedule) {
    JobDetail job =
        JobBuilder.newJob(Fire.class)
            .withIdentity(schedule.name(), GROUP)
            .setJobData(new JobDataMap(Map.of(SCHEDULE, schedule)))
            .build();
    Trigger trigger =
        TriggerBuilder.newTrigger()
            .withIdentity(schedule.name(), GROUP)
            .withSchedule(
                CronScheduleBuilder.cronSchedule(schedule.cron())
                    .inTimeZone(schedule.cron().getTimeZone())
                    // an instant that Quartz itself missed is made up for by the record
                    .withMisfireHandlingInstructionDoNothing())
            .build();
    try {
      quartz.scheduleJob(job, trigger);
    } catch (SchedulerException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "schedule of %s: %s".formatted(schedule.name(), e.getMessage()),
          e);
    }
  }

  /** Fires no more; nothing happens when there is no such one. */
  public synchronized void remove(String name) {
    if (all.remove(name) == null || quartz == null) {
      return;
    }
    try {
      quartz.deleteJob(new JobKey(name, GROUP));
    } catch (SchedulerException e) {
      throw new IllegalStateException("Quartz keeps its jobs in memory", e);
    }
  }

  /** Decides on the instants that were missed. */
  public void catchUp() throws SQLException {
    for (Schedule schedule : all.values()) {
      schedule.catchUp();
    }
  }

  /** What Quartz does at an instant. */
  public static final class Fire implements Job {

    @Override
    public void execute(JobExecutionContext context) throws JobExecutionException {
      Schedule schedule = (Schedule) context.getMergedJobDataMap().get(SCHEDULE);
      try {
        schedule.fire(context.getScheduledFireTime().toInstant());
      } catch (SQLException | CaravanException e) {
        // it is made up for like an instant at which no node was there
        LOG.warn("Schedule {} could not launch: {}", schedule.name(), e.getMessage());
      }
    }
  }
}
