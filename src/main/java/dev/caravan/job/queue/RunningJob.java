package dev.caravan.job.queue;

import dev.caravan.job.Attempt;
import dev.caravan.job.JobProgress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An attempt that runs on this node, and the way to stop it. */
public final class RunningJob {

  private static final Logger LOG = LoggerFactory.getLogger(RunningJob.class);

  private static final ThreadLocal<RunningJob> CURRENT = new ThreadLocal<>();

  private final Attempt attempt;
  private final Set<Thread> threads = new HashSet<>();
  private final long started = System.nanoTime();
  private final List<Runnable> onStop = new ArrayList<>();
  private volatile Supplier<JobProgress> progress =
      () -> new JobProgress("starting", 0, 0, 0, List.of());
  private JobProgress seen;
  private long moved = started;
  private StopReason stopped;

  RunningJob(Attempt attempt) {
    this.attempt = attempt;
  }

  /** The one that the thread works for; empty on other threads. */
  public static Optional<RunningJob> current() {
    return Optional.ofNullable(CURRENT.get());
  }

  /** The work of an attempt, or a part of it. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }

  /**
   * Works for the attempt on this thread: a stop interrupts it, but not what the thread does
   * afterwards.
   */
  void work(Work work) throws Exception {
    RunningJob before = CURRENT.get();
    join();
    try {
      work.run();
    } finally {
      leave(before);
    }
  }

  private synchronized void join() {
    CURRENT.set(this);
    threads.add(Thread.currentThread());
    if (stopped != null) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void leave(RunningJob before) {
    if (before == this) {
      return; // a part that its own thread does
    }
    threads.remove(Thread.currentThread());
    CURRENT.remove();
    Thread.interrupted();
  }

  /** Which attempt of which job. */
  public Attempt attempt() {
    return attempt;
  }

  /** Tells where to look for how far it is. */
  public void progress(Supplier<JobProgress> source) {
    progress = source;
  }

  /** How far it is. */
  public JobProgress progress() {
    return progress.get();
  }

  /**
   * Has the attempt's own thread wait, which does not count as standing still.
   *
   * @throws InterruptedException when the attempt is stopped
   */
  public void pause(Duration duration) throws InterruptedException {
    Supplier<JobProgress> before = progress;
    progress = () -> new JobProgress("waiting", 0, 0, 0, List.of());
    try {
      Thread.sleep(duration.toMillis());
    } finally {
      progress = before;
    }
  }

  /**
   * Has the action run when the attempt is stopped, on another thread: an interrupt alone does not
   * end a thread that waits for a socket.
   */
  public synchronized void onStop(Runnable action) {
    onStop.add(action);
    if (stopped != null) {
      action.run();
    }
  }

  /** Why it was stopped; empty while it was not. */
  public synchronized Optional<StopReason> stopped() {
    return Optional.ofNullable(stopped);
  }

  /** Stops it; the first reason stays. */
  void stop(StopReason reason) {
    List<Runnable> actions;
    synchronized (this) {
      if (stopped != null) {
        return;
      }
      stopped = reason;
      actions = List.copyOf(onStop);
    }
    LOG.info("Job {} attempt {}: {}", attempt.jobId(), attempt.number(), reason);
    for (Runnable action : actions) {
      try {
        action.run();
      } catch (RuntimeException e) {
        LOG.warn("While stopping job {}: {}", attempt.jobId(), e.toString());
      }
    }
    synchronized (this) {
      threads.forEach(Thread::interrupt);
    }
  }

  /** How far it is; only if that has changed since it was asked last. */
  Optional<JobProgress> moved() {
    JobProgress now = progress.get();
    if (now.equals(seen)) {
      return Optional.empty();
    }
    seen = now;
    moved = System.nanoTime();
    return Optional.of(now);
  }

  /** A limit that it has passed. A merge shows no progress: only reading has to move. */
  Optional<StopReason> overdue(Duration noProgress) {
    long now = System.nanoTime();
    if (attempt.timeout().isPresent() && now - started > attempt.timeout().get().toNanos()) {
      return Optional.of(StopReason.TIMEOUT);
    }
    boolean reads = seen != null && seen.step().equals(JobProgress.READING);
    return reads && now - moved > noProgress.toNanos()
        ? Optional.of(StopReason.NO_PROGRESS)
        : Optional.empty();
  }
}
