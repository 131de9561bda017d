package dev.caravan.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A node is killed at each point of a load, many times: the target is as before or as after, the
 * source file is moved only after the commit, and the file is loaded once.
 */
@Tag("torture")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KillPointsTest {

  private static final int ROWS = 1_500;

  private Rig rig;
  private int files;

  /** The node that dies, and the one that sleeps meanwhile and finishes the work then. */
  private Node victim;

  private Node heir;

  /** Whether it is loaded, and what the target holds: a count and a hash that knows no order. */
  private record Look(boolean committed, String content) {}

  @BeforeAll
  void start() throws Exception {
    Path folder = Files.createDirectories(Path.of("target/torture")).toAbsolutePath();
    rig = new Rig(Files.createTempDirectory(folder, "points"), 2, (node, plan) -> {});
    victim = rig.nodes.get(0);
    heir = rig.nodes.get(1);
    heir.start(null, List.of());
    await().atMost(Rig.PATIENCE).until(heir::isReady);
  }

  @AfterAll
  void stop() throws IOException {
    rig.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10", "K11", "K12", "K13", "K14"
      })
  void leavesTheTargetAsBeforeOrAsAfter(String point) throws Exception {
    for (int i = 0; i < Integer.getInteger("torture.points", 20); i++) {
      killOnce(point, i % 2 == 0 ? "a0" : "u0");
    }
  }

  private void killOnce(String point, String target) throws Exception {
    String file = "%s-%05d.csv".formatted(target, ++files);
    String folder = point.equals("K5") ? "temp/" : ""; // which is passed by temporary files only
    pauseBetweenTransactions(heir);
    victim.start(point + ":halt", List.of());
    await().atMost(Rig.PATIENCE).until(victim::isReady);
    String before = look(file, target).content();
    offer(folder, file, target, point.equals("K14"));
    Look whileItWorked = untilItDied(file, target);
    assertThat(victim.hasFired()).as("died at " + point).isTrue();
    // the sessions of the dead may still be committing
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> rig.value("SELECT " + SESSIONS_OF_LOADS).equals("0"));
    Look dead = look(file, target);
    boolean moved = !Files.exists(rig.sftp.file(folder + file));
    heir.resume();
    await().atMost(Rig.PATIENCE).until(() -> rig.value(DONE.formatted(file)).equals("t"));
    Look after = look(file, target);

    assertThat(after.content()).isNotEqualTo(before);
    for (Look look : List.of(whileItWorked, dead)) {
      assertThat(look.content()).as(point).isEqualTo(look.committed() ? after.content() : before);
    }
    assertThat(dead.committed()).as(point).isEqualTo(number(point) >= 11);
    if (number(point) < 14) { // the webhook does not wait for the move
      assertThat(moved).as("moved when it died at " + point).isEqualTo(number(point) == 13);
    }
    assertThat(rig.value("SELECT count(*) FROM caravan.load WHERE file = '%s'".formatted(file)))
        .isEqualTo("1");
    assertThat(
            rig.value("SELECT count(*) FROM public.%s WHERE file = '%s'".formatted(target, file)))
        .isEqualTo(String.valueOf(ROWS));
  }

  private static int number(String point) {
    return Integer.parseInt(point.substring(1));
  }

  private static final String SESSIONS_OF_LOADS =
      "count(*) FROM pg_stat_activity WHERE application_name LIKE 'caravan load%'";

  private static final String DONE =
      """
      SELECT EXISTS (SELECT FROM caravan.job j JOIN caravan.job_load f ON f.job_id = j.id
          WHERE f.label = '%s' AND f.moved_at IS NOT NULL AND j.state = 'completed')
        AND NOT EXISTS (SELECT FROM caravan.outbox WHERE state = 'pending')
        AND NOT EXISTS (SELECT FROM caravan.job WHERE state IN ('queued', 'running'))""";

  /** A node that sleeps in a transaction would hold up the other one, which is another test. */
  private void pauseBetweenTransactions(Node node) throws IOException, InterruptedException {
    String open =
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE application_name LIKE 'caravan%' AND state <> 'idle'""";
    node.pause();
    while (!rig.value(open).equals("0")) {
      node.resume();
      Thread.sleep(20);
      node.pause();
    }
  }

  /**
   * The same keys in each file for {@code u0}, so that rows are changed; new ones for {@code a0}.
   */
  private void offer(String folder, String file, String target, boolean callback)
      throws IOException {
    StringBuilder content = new StringBuilder("id,file,n\n");
    for (int i = 0; i < ROWS; i++) {
      String key = target.startsWith("a") ? file + "/" + i : String.valueOf(i);
      content.append(key).append(',').append(file).append(',').append(i).append('\n');
    }
    rig.sftp.put(folder + file, content.toString());
    if (callback) {
      Load load = new Load(rig, 0, true);
      load.launchOnce(load.sourced(folder, file, target, true));
    }
  }

  private Look untilItDied(String file, String target) {
    Optional<Look> last = Optional.empty();
    long deadline = System.nanoTime() + Rig.PATIENCE.toNanos();
    while (last.isEmpty() || (victim.isAlive() && System.nanoTime() < deadline)) {
      last = Optional.of(look(file, target));
    }
    return last.get();
  }

  private Look look(String file, String target) {
    String[] look =
        rig.value(
                """
                SELECT (SELECT count(*) FROM caravan.load WHERE file = '%s') || ' '
                  || (SELECT count(*) || '/' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM public.%s t)"""
                    .formatted(file, target))
            .split(" ", -1);
    return new Look(look[0].equals("1"), look[1]);
  }
}
