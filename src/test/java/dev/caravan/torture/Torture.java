package dev.caravan.torture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One run: nodes load files while everything around them breaks, and what must hold is looked at
 * all the while.
 *
 * @param faults how many are planned
 * @param jobs how many must be completed, else the run proves nothing
 * @param fence false to run without both walls, which must be seen
 */
record Torture(int faults, int jobs, int nodes, long seed, boolean fence) {

  /** Files that wait; more would only make the end longer. */
  private static final int BACKLOG = 40;

  /** Name of the invariant that must break without the fence. */
  private static final String DOUBLE = "row loaded more than once";

  private static final Duration QUIET = Duration.ofMinutes(6);

  /** What came of it. */
  record Report(int planned, int fired, int completed, List<String> violations, String text) {}

  /** Runs it in the folder, which is new, and prints what came of it. */
  Report run(Path folder) throws Exception {
    System.out.printf("torture: seed %d, %s%n", seed, this);
    Instant start = Instant.now();
    Faults[] faultsOfRig = new Faults[1];
    try (Rig rig = new Rig(folder, nodes, (node, plan) -> faultsOfRig[0].atPoint(node, plan))) {
      Faults harm =
          new Faults(rig, seed, fence ? List.of() : List.of("-Dcaravan.fault.no-fence=true"));
      faultsOfRig[0] = harm;
      Invariants invariants = new Invariants();
      harm.startNodes();
      Load load = new Load(rig, seed, !fence);
      List<String> violations = work(rig, harm, load, invariants);
      harm.heal();
      boolean quiet = quiet(rig, load, harm);
      violations.addAll(counted(invariants.violationsAtTheEnd(rig)));
      if (!quiet && fence) {
        violations.add("the nodes have not done their work within " + QUIET);
      }
      Report report = report(rig, harm, load, violations, start);
      System.out.println(report.text());
      return report;
    }
  }

  /** Until all faults are done, or something is broken that must not be. */
  private List<String> work(Rig rig, Faults harm, Load load, Invariants invariants)
      throws Exception {
    Random random = new Random(seed + 1);
    List<Fault> once = new ArrayList<>(List.of(Fault.values()));
    Collections.shuffle(once, random);
    AtomicBoolean enough = new AtomicBoolean();
    ExecutorService loading = Executors.newSingleThreadExecutor();
    Future<?> loads = loading.submit(until(enough, () -> offer(rig, load)));
    try {
      List<String> violations = new ArrayList<>();
      for (int i = 0; harm.planned() < faults && violations.isEmpty(); i++) {
        harm.revive();
        Fault fault = once.isEmpty() ? Fault.at(random.nextDouble()) : once.get(0);
        if (harm.inject(fault)) {
          once.remove(fault);
        }
        Thread.sleep(100 + random.nextInt(700));
        if (i % 40 == 39) {
          System.out.printf("torture: %d of %d faults%n", harm.fired(), harm.planned());
          violations.addAll(counted(invariants.violations(rig)));
        }
        if (loads.isDone()) {
          loads.get();
        }
      }
      while (completed(rig) < jobs && violations.isEmpty()) {
        harm.revive();
        Thread.sleep(500);
      }
      return violations;
    } finally {
      enough.set(true);
      loading.shutdown();
      loads.get();
    }
  }

  /** Without fence a load is not called as its job; only rows that are there twice say anything. */
  private List<String> counted(List<String> violations) {
    return fence ? violations : violations.stream().filter(v -> v.startsWith(DOUBLE)).toList();
  }

  private static Callable<Void> until(AtomicBoolean enough, Callable<Void> step) {
    return () -> {
      while (!enough.get()) {
        step.call();
      }
      return null;
    };
  }

  private static Void offer(Rig rig, Load load) throws IOException, InterruptedException {
    int waiting =
        Integer.parseInt(
            rig.value("SELECT count(*) - (SELECT count(*) FROM caravan.load) FROM torture.file"));
    if (waiting < BACKLOG) {
      load.next();
    }
    Thread.sleep(waiting < BACKLOG / 2 ? 50 : 300);
    return null;
  }

  private static int completed(Rig rig) {
    return Integer.parseInt(
        rig.value("SELECT count(*) FROM caravan.job WHERE state = 'completed'"));
  }

  /** Waits until every file is loaded and nothing is left to do; what failed is done again. */
  private boolean quiet(Rig rig, Load load, Faults harm) throws Exception {
    Instant deadline = Instant.now().plus(QUIET);
    while (Instant.now().isBefore(deadline)) {
      harm.revive();
      boolean again = load.retryOne();
      String open =
          rig.value(
              """
              SELECT (SELECT count(*) FROM torture.file f
                      WHERE NOT EXISTS (SELECT FROM caravan.load l WHERE l.file = f.file))
                + (SELECT count(*) FROM caravan.job WHERE state IN ('queued', 'running'))
                + (SELECT count(*) FROM caravan.scheduled_tasks WHERE task_name IN ('attempt', 'outbox'))
                + (SELECT count(*) FROM caravan.outbox WHERE state = 'pending')""");
      if (!again && open.equals("0")) {
        return true;
      }
      Thread.sleep(300);
    }
    return false;
  }

  private Report report(Rig rig, Faults harm, Load load, List<String> violations, Instant start) {
    int completed = completed(rig);
    String text =
        """
        torture: seed %d, %d nodes, fence %s, %d s
          faults: %d of %d took effect
        %s
          files %d, jobs completed %d, cancelled %d, attempts %s, taken over %s
          violations: %d
          %s"""
            .formatted(
                seed,
                nodes,
                fence ? "on" : "OFF",
                Duration.between(start, Instant.now()).toSeconds(),
                harm.fired(),
                harm.planned(),
                harm,
                load.files(),
                completed,
                load.cancelled(),
                rig.value("SELECT count(*) FROM torture.history WHERE state = 'running'"),
                rig.value(
                    """
                    SELECT count(*) FROM (SELECT state, lag(state) OVER (
                      PARTITION BY job_id ORDER BY seq) AS before FROM torture.history) h
                    WHERE state = 'running' AND before = 'running'"""),
                violations.size(),
                String.join("\n  ", violations.subList(0, Math.min(50, violations.size()))));
    return new Report(harm.planned(), harm.fired(), completed, violations, text);
  }

  /** Fails when something broke, or when too little happened for that to say anything. */
  void check(Report report) {
    if (fence) {
      assertThat(report.violations()).as("violations with seed %d", seed).isEmpty();
    } else {
      assertThat(report.violations())
          .as("without fence and ledger key a run must find rows twice, seed %d", seed)
          .isNotEmpty();
      return; // it ended with the first one
    }
    assertThat(report.fired())
        .as("faults that took effect, of %d", report.planned())
        .isGreaterThanOrEqualTo(report.planned() * 9 / 10);
    assertThat(report.completed()).as("completed jobs").isGreaterThanOrEqualTo(jobs);
  }
}
