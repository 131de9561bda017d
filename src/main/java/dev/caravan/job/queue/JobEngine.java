package dev.caravan.job.queue;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerName;
import com.github.kagkarlsson.scheduler.task.CompletionHandler;
import com.github.kagkarlsson.scheduler.task.ExecutionContext;
import com.github.kagkarlsson.scheduler.task.FailureHandler;
import com.github.kagkarlsson.scheduler.task.Task;
import com.github.kagkarlsson.scheduler.task.TaskInstance;
import com.github.kagkarlsson.scheduler.task.helper.RecurringTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.github.kagkarlsson.scheduler.task.schedule.FixedDelay;
import dev.caravan.failure.FaultPoint;
import dev.caravan.job.Attempt;
import dev.caravan.job.JobProgress;
import dev.caravan.job.jdbc.JobQueue;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's part in the queue. It admits what may run, works on what db-scheduler gives it, and
 * stops attempts that are lost, overdue or stand still. While the database is away it waits.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what is scheduled guards itself
public final class JobEngine implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(JobEngine.class);

  /** db-scheduler's least: a node that misses so many heartbeats is dead. */
  public static final int MISSED_HEARTBEATS = 4;

  /** Threads that attempts of jobs leave to the other tasks. */
  public static final int EFFECTS_AT_ONCE = 16;

  private static final Duration TICK = Duration.ofSeconds(1);
  private static final int CHORE_TICKS = 30;
  private static final int OFTEN_TICKS = 2;
  private static final Duration RETRY = Duration.ofSeconds(2);

  /** How long running attempts may go on when the node stops, before they are handed back. */
  private static final Duration GRACE = Duration.ofSeconds(20);

  /** Something to look after from time to time, on every node. */
  @FunctionalInterface
  public interface Chore {
    /** Fails while the database is away, and is done again. */
    void run() throws SQLException;
  }

  private final List<Chore> chores;
  private final List<Chore> oftenDone;
  private final JobQueue queue;
  private final JobWork work;
  private final Settings settings;
  private final DatabaseClock clock;
  private final Scheduler scheduler;
  private final Set<RunningJob> running = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean admitting = new AtomicBoolean();
  private final ScheduledExecutorService housekeeping =
      Executors.newSingleThreadScheduledExecutor(r -> daemon(r, "job-housekeeping"));
  private final ScheduledExecutorService stopping =
      Executors.newSingleThreadScheduledExecutor(r -> daemon(r, "job-stop"));
  private volatile boolean stopped;
  private int ticks;
  private boolean away;

  /**
   * What a node is told.
   *
   * @param node its name
   * @param queues what may run, in all nodes together
   * @param heartbeat how often it shows that it lives; four that are missed make it dead
   * @param noProgress how long an attempt may stand still while it reads
   * @param retention how long ended jobs are kept
   */
  public record Settings(
      String node,
      List<JobQueue.Limit> queues,
      Duration heartbeat,
      Duration noProgress,
      Duration retention) {
    public Settings {
      queues = List.copyOf(queues);
    }
  }

  /**
   * @param dataSource a pool of its own: loads that use up all connections must not make the node
   *     look dead
   * @param more tasks of db-scheduler beside the attempts
   * @param chores done every half a minute
   * @param oftenDone chores that are done every two seconds
   */
  public JobEngine(
      DataSource dataSource,
      JobQueue queue,
      JobWork work,
      Settings settings,
      List<Task<Void>> more,
      List<Chore> chores,
      List<Chore> oftenDone)
      throws SQLException {
    this.chores = List.copyOf(chores);
    this.oftenDone = List.copyOf(oftenDone);
    this.queue = queue;
    this.work = work;
    this.settings = settings;
    this.clock = new DatabaseClock(queue.now());
    Task<Void> attempts =
        Tasks.custom(JobQueue.TASK, Void.class)
            .onFailure(new FailureHandler.OnFailureRetryLater<>(RETRY))
            .onDeadExecutionRevive()
            .execute(this::execute);
    RecurringTask<Void> retention =
        Tasks.recurring("retention", FixedDelay.ofHours(1)).execute((i, c) -> deleteEnded());
    List<Task<?>> tasks = new ArrayList<>(more);
    tasks.add(attempts);
    int threads = settings.queues().stream().mapToInt(JobQueue.Limit::jobs).sum();
    scheduler =
        Scheduler.create(dataSource, tasks)
            .startTasks(retention)
            .tableName("caravan.scheduled_tasks")
            .schedulerName(new SchedulerName.Fixed(settings.node()))
            // effects of the outbox must not wait for loads, nor loads for them
            .threads(threads + EFFECTS_AT_ONCE)
            .pollUsingLockAndFetch(0.5, 1.0)
            .enablePriority()
            .pollingInterval(TICK)
            .heartbeatInterval(settings.heartbeat())
            .missedHeartbeatsLimit(MISSED_HEARTBEATS)
            .shutdownMaxWait(GRACE.plusSeconds(8))
            // tasks that this version does not know may be another node's
            .deleteUnresolvedAfter(Duration.ofDays(36_500))
            .clock(clock)
            .build();
  }

  private static Thread daemon(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Begins to work. */
  public JobEngine start() {
    scheduler.start();
    housekeeping.scheduleWithFixedDelay(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
    return this;
  }

  /** There may be something to admit; returns at once. */
  public void wake() {
    wakeAfter(Duration.ZERO);
  }

  /** There may be something to admit after a while. */
  public void wakeAfter(Duration delay) {
    if (delay.isZero() && !admitting.compareAndSet(false, true)) {
      return; // one that has not begun yet sees what is committed by now
    }
    if (!stopped) {
      housekeeping.schedule(this::admit, delay.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Work for db-scheduler was written to its table. */
  public void check() {
    scheduler.triggerCheckForDueExecutions();
  }

  private CompletionHandler<Void> execute(TaskInstance<Void> instance, ExecutionContext context) {
    try {
      long admission = Long.parseLong(instance.getId());
      Set<String> left = work.left();
      if (!left.isEmpty() && queue.isOf(admission, left)) {
        return (complete, operations) ->
            operations.reschedule(complete, complete.getTimeDone().plus(TICK));
      }
      Optional<Attempt> attempt = queue.claim(admission, settings.node());
      FaultPoint.hit("K2");
      if (attempt.isPresent()) {
        run(attempt.get());
      }
    } catch (Exception e) {
      throw new IllegalStateException("The attempt has no end yet: " + e.getMessage(), e);
    }
    wake();
    return new CompletionHandler.OnCompleteRemove<>();
  }

  private void run(Attempt attempt) throws Exception {
    RunningJob job = new RunningJob(attempt);
    running.add(job);
    try {
      job.work(() -> work.run(job));
    } finally {
      running.remove(job);
    }
  }

  private void admit() {
    admitting.set(false);
    if (stopped) {
      return; // what is handed back is for others
    }
    guarded(
        () -> {
          int admitted = 0;
          for (JobQueue.Limit limit : settings.queues()) {
            admitted += queue.admit(limit);
          }
          if (admitted > 0) {
            scheduler.triggerCheckForDueExecutions();
          }
        });
  }

  private void tick() {
    guarded(
        () -> {
          queue.expire();
          watch();
          if (ticks % CHORE_TICKS == 0) {
            clock.set(queue.now());
            runAll(chores);
          }
          if (ticks++ % OFTEN_TICKS == 0) {
            runAll(oftenDone);
          }
        });
    admit();
  }

  private static void runAll(List<Chore> chores) throws SQLException {
    for (Chore chore : chores) {
      chore.run();
    }
  }

  /** The database may be away for a while; that is said once. */
  private void guarded(Chore databaseWork) {
    try {
      databaseWork.run();
      if (away) {
        LOG.info("The queue works again");
      }
      away = false;
    } catch (SQLException | RuntimeException e) {
      if (!away) {
        LOG.warn("The queue waits: {}", e.toString());
      }
      away = true;
    }
  }

  private void watch() throws SQLException {
    Map<Attempt, JobProgress> moved = new HashMap<>();
    Map<Attempt, RunningJob> jobs = new HashMap<>();
    for (RunningJob job : running) {
      jobs.put(job.attempt(), job);
      job.moved().ifPresent(progress -> moved.put(job.attempt(), progress));
      job.overdue(settings.noProgress()).ifPresent(reason -> stop(job, reason));
    }
    if (!moved.isEmpty()) {
      queue.progress(moved);
    }
    if (!jobs.isEmpty()) {
      queue.lost(jobs.keySet()).forEach(attempt -> stop(jobs.get(attempt), StopReason.LOST));
    }
  }

  private void stop(RunningJob job, StopReason reason) {
    stopping.execute(() -> job.stop(reason));
  }

  private void deleteEnded() {
    try {
      while (queue.deleteEnded(settings.retention()) > 0) {
        LOG.debug("Deleted jobs older than {}", settings.retention());
      }
    } catch (SQLException e) {
      LOG.warn("Old jobs could not be deleted: {}", e.getMessage());
    }
  }

  /** Takes no more work; what runs may finish within 20 s and is handed back then. */
  @Override
  public void close() {
    if (stopped) {
      return;
    }
    stopped = true;
    stopping.schedule(
        () -> running.forEach(job -> job.stop(StopReason.SHUTDOWN)),
        GRACE.toMillis(),
        TimeUnit.MILLISECONDS);
    scheduler.stop();
    housekeeping.shutdownNow();
    stopping.shutdownNow();
  }
}
