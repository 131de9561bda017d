package dev.caravan;

import dev.caravan.job.jdbc.JobLog;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;

/**
 * Copies what is logged during a job into the job's own log, once a second. A database that is away
 * costs lines, never the job: they are in the log file all the same.
 */
final class JobLogAppender extends AbstractAppender {

  private static final String JOB = "job"; // the logging key of the job's id
  private static final int MAX_WAITING = 10_000;

  private final JobLog log;
  private final String node;
  private final BlockingQueue<JobLog.Line> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
  private final AtomicLong dropped = new AtomicLong();
  private final ScheduledExecutorService writer =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "job-log");
            thread.setDaemon(true);
            return thread;
          });

  private JobLogAppender(JobLog log, String node) {
    super("jobs-" + UUID.randomUUID(), null, null, true, Property.EMPTY_ARRAY);
    this.log = log;
    this.node = node;
  }

  /** Begins to copy. */
  @SuppressWarnings("FutureReturnValueIgnored") // flush guards itself
  static JobLogAppender attach(JobLog log, String node) {
    JobLogAppender appender = new JobLogAppender(log, node);
    appender.start();
    LoggerContext context = LoggerContext.getContext(false);
    context.getConfiguration().getRootLogger().addAppender(appender, Level.INFO, null);
    context.updateLoggers();
    appender.writer.scheduleWithFixedDelay(appender::flush, 1, 1, TimeUnit.SECONDS);
    return appender;
  }

  @Override
  public void append(LogEvent event) {
    String job = event.getContextData().getValue(JOB);
    if (job != null && !waiting.offer(line(UUID.fromString(job), event))) {
      dropped.incrementAndGet();
    }
  }

  private static JobLog.Line line(UUID job, LogEvent event) {
    return new JobLog.Line(
        job,
        Instant.ofEpochMilli(event.getTimeMillis()),
        event.getLevel().name(),
        event.getMessage().getFormattedMessage());
  }

  private synchronized void flush() {
    List<JobLog.Line> lines = new ArrayList<>();
    waiting.drainTo(lines);
    if (lines.isEmpty()) {
      return;
    }
    try {
      log.write(lines, node);
    } catch (SQLException | RuntimeException e) {
      dropped.addAndGet(lines.size());
      return;
    }
    long lost = dropped.getAndSet(0);
    if (lost > 0) {
      LogManager.getLogger(JobLogAppender.class)
          .warn("{} lines are missing in the logs of jobs; the log file has them", lost);
    }
  }

  @Override
  public void stop() {
    LoggerContext context = LoggerContext.getContext(false);
    context.getConfiguration().getRootLogger().removeAppender(getName());
    context.updateLoggers();
    writer.shutdownNow();
    flush();
    super.stop();
  }
}
