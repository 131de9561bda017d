package dev.caravan.job.queue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * The threads on which jobs do several things at once: what an attempt submits works for that
 * attempt, with its log context, and is interrupted when it is stopped. When all are taken, the
 * thread that asks does the work itself, so that no job waits for another one's.
 */
public final class JobThreads extends AbstractExecutorService implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(JobThreads.class);

  private static final long IDLE_SECONDS = 30;

  private final ExecutorService threads;

  /**
   * @param max threads of all jobs of the node
   */
  public JobThreads(int max) {
    AtomicInteger number = new AtomicInteger();
    threads =
        new ThreadPoolExecutor(
            0,
            max,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            work -> {
              Thread thread = new Thread(work, "job-part-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.CallerRunsPolicy());
  }

  @Override
  public void execute(Runnable work) {
    Optional<RunningJob> job = RunningJob.current();
    Map<String, String> log = MDC.getCopyOfContextMap();
    threads.execute(job.isEmpty() ? work : () -> work(job.get(), log, work));
  }

  private static void work(RunningJob job, Map<String, String> log, Runnable work) {
    Map<String, String> before = MDC.getCopyOfContextMap();
    set(log);
    try {
      job.work(work::run);
    } catch (Exception e) {
      LOG.error("A part of job {} failed outside of its route", job.attempt().jobId(), e);
    } finally {
      set(before);
    }
  }

  private static void set(Map<String, String> log) {
    if (log == null) {
      MDC.clear();
    } else {
      MDC.setContextMap(log);
    }
  }

  @Override
  public void shutdown() {
    threads.shutdown();
  }

  @Override
  public List<Runnable> shutdownNow() {
    return threads.shutdownNow();
  }

  @Override
  public boolean isShutdown() {
    return threads.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return threads.isTerminated();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return threads.awaitTermination(timeout, unit);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
