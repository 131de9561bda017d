package dev.caravan.job.camel;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.copyupsert.LoadJournal;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.Effect;
import dev.caravan.job.JobLoad;
import dev.caravan.job.JobLoad.Status;
import dev.caravan.job.JobProgress;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.pgload.Fence;
import dev.caravan.pgload.LoadProgress;
import dev.caravan.pgload.LoadProgress.Step;
import dev.caravan.pgload.LoadResult;
import dev.caravan.pgload.TableName;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loads of one attempt of a job, one after another or side by side, as they are written into
 * the job's record: each when it begins and when it ends. One that an earlier attempt has committed
 * is not done again.
 *
 * <p>A load's id is the same in every attempt: the one that its message has, else one made of the
 * job and the load's label, without a label the job's own.
 */
public final class JobLoads implements LoadJournal {

  /**
   * Exchange property: list of {@link Effect}s that follow from the next load, written with its
   * end.
   */
  public static final String EFFECTS = "CaravanLoadEffects";

  /** These say nothing about the load: the attempt ends with them. */
  private static final Set<FailureCode> OF_THE_ATTEMPT =
      Set.of(
          FailureCode.SUPERSEDED,
          FailureCode.CANCELLED,
          FailureCode.INTERRUPTED,
          FailureCode.ATTEMPTS_EXHAUSTED,
          FailureCode.DB_UNAVAILABLE);

  /** A load that is stopped has its connection closed, at both ends. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(JobLoads.class);

  private final JdbcJobRepository jobs;
  private final UUID job;
  private final long epoch;
  private final String project;
  private final Optional<Fence> fence;
  private final Map<UUID, Load> loads = new LinkedHashMap<>();
  private boolean stopped;
  private String note;

  /**
   * @param epoch of the attempt; 0 for a job outside of the queue, whose record may be missing
   * @param fence of the attempt; empty for a job outside of the queue
   */
  JobLoads(JdbcJobRepository jobs, UUID job, long epoch, String project, Optional<Fence> fence) {
    this.jobs = jobs;
    this.job = job;
    this.epoch = epoch;
    this.project = project;
    this.fence = fence;
  }

  /** Those of the job that the exchange is an attempt of, or a part of one. */
  public static JobLoads of(Exchange exchange) {
    return exchange.getProperty(LoadJournal.PROPERTY, JobLoads.class);
  }

  @Override
  @SuppressWarnings("unchecked")
  public Entry begin(Message message, TableName target) {
    JobLoad planned = planned(message, target.toString());
    Exchange exchange = message.getExchange();
    List<Effect> effects = exchange.getProperty(EFFECTS, List.of(), List.class);
    exchange.removeProperty(EFFECTS);
    Load load = new Load(planned, effects);
    synchronized (this) {
      if (stopped) {
        throw new CaravanException(FailureCode.INTERRUPTED, "The job was stopped.");
      }
      if (loads.putIfAbsent(planned.id(), load) != null) {
        throw new CaravanException(
            FailureCode.CONFIG_INVALID,
            "Two loads of one job are called '%s'; give each a header %s of its own."
                .formatted(planned.label(), CopyUpsertConstants.LABEL));
      }
    }
    if (planned.size() != null) {
      load.progress.expect(planned.size());
    }
    load.begin();
    load.goes();
    return load;
  }

  private JobLoad planned(Message message, String table) {
    String label = message.getHeader(CopyUpsertConstants.LABEL, String.class);
    UUID given = message.getHeader(CopyUpsertConstants.LOAD_ID, UUID.class);
    Long modified = message.getHeader(Exchange.FILE_LAST_MODIFIED, Long.class);
    return new JobLoad(
        given == null ? idOf(label) : given,
        label == null ? message.getHeader(Exchange.FILE_NAME, table, String.class) : label,
        message.getHeader(Exchange.FILE_LENGTH, Long.class),
        modified == null ? null : Instant.ofEpochMilli(modified),
        table,
        Status.RUNNING,
        null,
        Map.of(),
        null,
        List.of(),
        null,
        null);
  }

  private UUID idOf(String label) {
    return label == null
        ? job
        : UUID.nameUUIDFromBytes((job + "/" + label).getBytes(StandardCharsets.UTF_8));
  }

  /** What there is to say of the job's loads, although it does not fail: its message. */
  public synchronized void note(String text) {
    note = text;
  }

  /** Null when there is nothing to say. */
  synchronized String note() {
    return note;
  }

  private synchronized boolean isOfTheAttempt(FailureCode code) {
    return stopped || OF_THE_ATTEMPT.contains(code);
  }

  /** Those that have ended, in the order in which they began. */
  public synchronized List<JobLoad> ended() {
    return loads.values().stream().map(load -> load.state).filter(JobLoads::hasEnded).toList();
  }

  private static boolean hasEnded(JobLoad load) {
    return load.status() != Status.RUNNING;
  }

  /** All, at the end of their job: one that has not ended failed as the job did. */
  synchronized List<JobLoad> ended(FailureCode code, String message) {
    return loads.values().stream()
        .map(load -> load.runs() ? load.state.failed(code, message) : load.state)
        .toList();
  }

  /**
   * The load that the exchange was about to do, or did, has failed, and the others go on.
   *
   * @throws Exception the cause, when it is not about this load alone
   */
  void failed(Exchange exchange, Exception cause) throws Exception {
    if (isOfTheAttempt(JobRoutePolicy.code(cause))) {
      throw cause;
    }
    JobLoad planned = planned(exchange.getMessage(), null);
    Load load;
    synchronized (this) {
      load = loads.computeIfAbsent(planned.id(), id -> new Load(planned, List.of()));
    }
    if (load.state.status() == Status.RUNNING) {
      load.end(
          load.state.failed(JobRoutePolicy.code(cause), JobRoutePolicy.message(cause)), List.of());
    }
  }

  /**
   * The attempt is at its end: what still runs, because another load failed, is stopped and waited
   * for, so that nothing of it is committed afterwards.
   */
  void close() {
    stop();
    boolean interrupted = Thread.interrupted();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    synchronized (this) {
      while (loads.values().stream().anyMatch(load -> load.thread != null)) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          LOG.error("A load of job {} does not end; its fence and its sessions are closed", job);
          break;
        }
        try {
          wait(left / 1_000_000 + 1);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends those that run, and lets no other begin. */
  void stop() {
    List<Load> running;
    synchronized (this) {
      stopped = true;
      running = List.copyOf(loads.values());
    }
    running.forEach(Load::stop);
  }

  /** How far all are, together: the step is that of the one that is least far. */
  synchronized JobProgress progress() {
    List<Step> steps = new ArrayList<>();
    List<JobProgress.Load> running = new ArrayList<>();
    long bytes = 0;
    long totalBytes = 0;
    long rows = 0;
    for (Load load : loads.values()) {
      LoadProgress p = load.progress;
      if (load.runs()) {
        steps.add(p.step());
        running.add(
            new JobProgress.Load(load.id(), word(p.step()), p.bytes(), p.totalBytes(), p.rows()));
      }
      bytes += p.bytes();
      totalBytes += p.totalBytes();
      rows += p.rows();
    }
    String step = steps.isEmpty() ? JobProgress.READING : word(Collections.min(steps));
    return new JobProgress(step, bytes, totalBytes, rows, running);
  }

  /** True when a load has come so far that its commit may be done. */
  synchronized boolean isMerging() {
    return loads.values().stream()
        .anyMatch(load -> load.runs() && load.progress.step() == Step.MERGING);
  }

  private static String word(Step step) {
    return step.name().toLowerCase(Locale.ROOT);
  }

  /** Writes the ended loads again, for a record that was not there when they ended. */
  void writeAgain() throws SQLException {
    for (JobLoad load : ended()) {
      jobs.record(job, epoch, project, load, List.of());
    }
  }

  /** One load of this attempt. */
  private final class Load implements Entry {

    private final List<Effect> effects;
    private final LoadProgress progress = new LoadProgress();
    private Optional<LoadResult> before = Optional.empty();
    private Thread thread; // while it goes
    private volatile JobLoad state;

    Load(JobLoad planned, List<Effect> effects) {
      this.state = planned;
      this.effects = effects;
    }

    private void goes() {
      synchronized (JobLoads.this) {
        thread = Thread.currentThread();
        if (stopped) {
          stop();
        }
      }
    }

    private void gone() {
      synchronized (JobLoads.this) {
        thread = null;
        JobLoads.this.notifyAll();
      }
    }

    private void stop() {
      progress.stop();
      synchronized (JobLoads.this) {
        if (thread != null) {
          thread.interrupt(); // it may wait for its source
        }
      }
    }

    private boolean runs() {
      return state.status() == Status.RUNNING;
    }

    private void begin() {
      try {
        JdbcJobRepository.Begun begun = jobs.begin(job, epoch, project, state);
        if (!begun.ours() && epoch > 0) {
          throw superseded();
        }
        if (begun.before().isPresent()) {
          state = begun.before().get();
          before = Optional.of(result(state));
        }
      } catch (SQLException e) {
        unwritten(e);
      }
    }

    private static CaravanException superseded() {
      return new CaravanException(
          FailureCode.SUPERSEDED, "Another attempt has the job, or it was cancelled.");
    }

    /** A job outside of the queue goes on without its record, which is written at its end. */
    private void unwritten(SQLException e) {
      if (epoch > 0) {
        throw new CaravanException(
            FailureCode.DB_UNAVAILABLE,
            "Cannot write down what becomes of %s: %s".formatted(state.label(), e.getMessage()),
            e);
      }
      LOG.error("Job {} runs without its record: {}", job, e.getMessage());
    }

    private void end(JobLoad ended, List<Effect> after) {
      try {
        if (!jobs.record(job, epoch, project, ended, after) && epoch > 0) {
          throw superseded();
        }
      } catch (SQLException e) {
        unwritten(e);
      }
      state = ended;
    }

    @Override
    public UUID id() {
      return state.id();
    }

    @Override
    public Optional<Fence> fence() {
      return fence;
    }

    @Override
    public LoadProgress progress() {
      return progress;
    }

    @Override
    public Optional<LoadResult> before() {
      return before;
    }

    @Override
    public void loaded(LoadResult result) {
      try {
        if (before.isEmpty()) {
          end(loadedAs(result), effects);
        }
      } finally {
        gone();
      }
    }

    private JobLoad loadedAs(LoadResult result) {
      return new JobLoad(
          state.id(),
          state.label(),
          state.size(),
          state.modifiedAt(),
          state.table(),
          Status.valueOf(result.outcome().name()),
          result.sameAs(),
          result.counts(),
          result.elapsed(),
          result.warnings(),
          null,
          null);
    }

    @Override
    public void failed(Exception cause) {
      FailureCode code = JobRoutePolicy.code(cause);
      try {
        if (isOfTheAttempt(code)) {
          return; // its end says it
        }
        end(state.failed(code, JobRoutePolicy.message(cause)), List.of());
      } catch (CaravanException e) {
        cause.addSuppressed(e); // the attempt cannot write its end either
      } finally {
        gone();
      }
    }
  }

  private static LoadResult result(JobLoad load) {
    String[] table = load.table().split("\\.", 2);
    return new LoadResult(
        load.id(),
        new TableName(table[0], table[1]),
        LoadResult.Outcome.valueOf(load.status().name()),
        load.sameAs(),
        load.count("read"),
        load.count("inserted"),
        load.count("updated"),
        load.count("unchanged"),
        load.count("superseded"),
        load.count("rejected"),
        load.count("filtered"),
        load.count("deleted"),
        load.size() == null ? 0 : load.size(),
        load.elapsed() == null ? Duration.ZERO : load.elapsed(),
        load.warnings());
  }
}
