package dev.caravan.torture;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** Does the harm, counts what of it took effect, and has dead nodes started again. */
final class Faults {

  private static final int POINTS = 14;

  private final Rig rig;
  private final Random random;
  private final List<String> options;
  private final Map<Fault, Integer> planned = new EnumMap<>(Fault.class);
  private final Map<Fault, Integer> fired = new EnumMap<>(Fault.class);
  private final Map<String, Integer> points = new java.util.TreeMap<>();

  /** What a node that was killed is started with the next time. */
  private final Map<Node, String> next = new java.util.HashMap<>();

  /**
   * @param options of the nodes' JVMs
   */
  Faults(Rig rig, long seed, List<String> options) {
    this.rig = rig;
    this.random = new Random(seed);
    this.options = options;
  }

  /** Starts all nodes, without a fault. */
  void startNodes() throws IOException {
    for (Node node : rig.nodes) {
      node.start(null, options);
    }
    awaitAll();
  }

  /** A node whose port another process took first is started again. */
  private void awaitAll() {
    await()
        .atMost(Rig.PATIENCE)
        .until(
            () -> {
              revive();
              return rig.nodes.stream().allMatch(Node::isReady);
            });
  }

  /** Starts what is dead, unless it is to stay dead for a moment longer. */
  void revive() throws IOException {
    for (Node node : rig.nodes) {
      if (!node.isAlive()) {
        if (node.failedStarts() > 15) {
          throw new IllegalStateException(node.name() + " does not start; its log says why");
        }
        node.start(next.remove(node), options);
      }
    }
  }

  /**
   * Does one.
   *
   * @return false when no node is in the state for it; that does not count
   */
  boolean inject(Fault fault) {
    Optional<Node> victim = victim();
    if (victim.isEmpty()) {
      return false;
    }
    Node node = victim.get();
    planned.merge(fault, 1, Integer::sum);
    try {
      switch (fault) {
        case KILL -> node.kill();
        case HALT_AT_POINT -> arm(node, "halt");
        case PAUSE_AT_POINT -> arm(node, "stop");
        case PAUSE -> pause(node);
        case STOP -> node.terminate();
        case TERMINATE -> terminateSessions();
        case RESET -> node.network().reset();
        case BLACK_HOLE -> blackHole(node);
        case SLOW -> slow(node);
        case POSTMASTER_KILLED -> {
          rig.postgres.killPostmaster();
          rig.postgres.restart();
        }
        case POSTGRES_STOPPED -> {
          rig.postgres.stopImmediately();
          rig.postgres.restart();
        }
        case SFTP_AWAY -> sftpAway();
      }
      if (!fault.atPoint()) {
        tookEffect(fault);
      }
    } catch (Exception e) {
      System.out.println(fault + " did not take effect: " + e);
    }
    return true;
  }

  /** A node that works and has no other fault before it; one that was armed in vain is free. */
  private Optional<Node> victim() {
    List<Node> nodes =
        rig.nodes.stream()
            .filter(node -> node.isReady() && !node.isPaused() && !next.containsKey(node))
            .filter(node -> node.armed() == null || node.age() > 40)
            .toList();
    return nodes.isEmpty()
        ? Optional.empty()
        : Optional.of(nodes.get(random.nextInt(nodes.size())));
  }

  private synchronized void tookEffect(Fault fault) {
    fired.merge(fault, 1, Integer::sum);
  }

  /** The process that is armed is a new one: a fault point is told by a system property. */
  private void arm(Node node, String action) {
    next.put(
        node, "K%d:%s:%d".formatted(1 + random.nextInt(POINTS), action, 1 + random.nextInt(2)));
    if (random.nextBoolean()) {
      node.terminate();
    } else {
      node.kill();
    }
  }

  /** A fault point has acted. */
  void atPoint(Node node, String plan) {
    synchronized (this) {
      points.merge(plan.replaceFirst(":\\d+$", ""), 1, Integer::sum);
    }
    tookEffect(plan.contains(":halt") ? Fault.HALT_AT_POINT : Fault.PAUSE_AT_POINT);
    if (plan.contains(":stop")) {
      resumeLater(node);
    }
  }

  private void pause(Node node) throws IOException, InterruptedException {
    node.pause();
    resumeLater(node);
  }

  private void resumeLater(Node node) {
    long lease = Rig.LEASE.toMillis();
    later(lease / 2 + random.nextInt((int) (lease * 5 / 2)), node::resume);
  }

  private void terminateSessions() throws SQLException {
    try (Connection connection = rig.postgres.dataSource().getConnection();
        Statement statement = connection.createStatement();
        var row =
            statement.executeQuery(
                """
                SELECT count(pg_terminate_backend(pid)) FROM (
                  SELECT pid FROM pg_stat_activity WHERE starts_with(application_name, 'caravan')
                  ORDER BY starts_with(application_name, 'caravan load') DESC, state = 'idle', random()
                  LIMIT 3) victims""")) {
      row.next();
    }
  }

  private void blackHole(Node node) {
    node.network().blackHole(true);
    later(2_000 + random.nextInt(4_000), () -> node.network().blackHole(false));
    later(20_000, () -> node.network().endSilentSessions());
  }

  private void slow(Node node) {
    node.network().delay(Duration.ofMillis(50 + random.nextInt(150)));
    later(4_000, () -> node.network().delay(Duration.ZERO));
  }

  private void sftpAway() throws IOException {
    rig.sftp.down();
    later(500 + random.nextInt(1_500), rig.sftp::up);
  }

  private interface Work {
    void run() throws Exception;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the work tells of its failure itself
  private void later(long millis, Work work) {
    rig.timer.schedule(
        () -> {
          try {
            work.run();
          } catch (Exception e) {
            System.out.println("The end of a fault failed: " + e);
          }
        },
        millis,
        TimeUnit.MILLISECONDS);
  }

  /** No more harm: every node runs, without a fault before it. */
  void heal() throws Exception {
    for (Node node : rig.nodes) {
      node.resume();
      node.network().blackHole(false);
      node.network().delay(Duration.ZERO);
      if (next.remove(node) != null || node.armed() != null) {
        node.kill();
      }
    }
    awaitAll();
  }

  int planned() {
    return planned.values().stream().mapToInt(Integer::intValue).sum();
  }

  synchronized int fired() {
    return fired.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** How many of each were planned and took effect. */
  @Override
  public synchronized String toString() {
    StringBuilder text = new StringBuilder();
    planned.forEach(
        (fault, n) ->
            text.append("  %s %d of %d%n".formatted(fault, fired.getOrDefault(fault, 0), n)));
    return text.append("  points ").append(points).toString();
  }
}
