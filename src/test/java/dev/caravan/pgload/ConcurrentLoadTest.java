package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.testing.TestLoads;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two loads of the same keys at once, one in ascending and one in descending order. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ConcurrentLoadTest {

  private static final int ROWS = 3_000;
  private static final int ROUNDS = 6;

  private final TestLoads loads = new TestLoads();
  private final ExecutorService threads = Executors.newFixedThreadPool(2);

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  private static String csv(boolean ascending, String value) {
    return IntStream.range(0, ROWS)
        .map(i -> ascending ? i : ROWS - 1 - i)
        .mapToObj(i -> "%05d,%s".formatted(i, value))
        .collect(Collectors.joining("\n", "id,a\n", "\n"));
  }

  @ParameterizedTest
  @EnumSource(
      value = LoadMode.class,
      names = {"UPSERT", "INSERT_ONLY", "REPLACE", "SCD2"})
  void neitherDeadlocksNorDoubles(LoadMode mode) throws Exception {
    LoadSpec spec = LoadSpec.of(new TableName("public", "people"), List.of("id"), mode);
    boolean history = mode == LoadMode.SCD2;
    for (int round = 0; round < ROUNDS; round++) {
      CyclicBarrier start = new CyclicBarrier(2);
      String up = csv(true, "up" + round);
      String down = csv(false, "down" + round);
      Future<LoadResult> first = threads.submit(() -> loadAt(start, spec, up));
      Future<LoadResult> second = threads.submit(() -> loadAt(start, spec, down));
      assertThat(first.get().read()).isEqualTo(ROWS);
      assertThat(second.get().read()).isEqualTo(ROWS);
      assertThat(
              loads.rows(
                  "SELECT count(*), count(DISTINCT id), count(DISTINCT a) FROM people"
                      + (history ? " WHERE current" : "")))
          .as("one of the two won, as a whole")
          .containsExactly(ROWS + "|" + ROWS + "|1");
    }
    if (history) {
      assertThat(loads.rows("SELECT count(*) FROM people WHERE valid_to <= valid_from"))
          .containsExactly("0");
    }
  }

  @Test
  void twoFirstLoadsMayCreateOneSchema() throws Exception {
    for (int round = 0; round < 3; round++) {
      String schema = "fresh" + round;
      CyclicBarrier start = new CyclicBarrier(2);
      List<Future<LoadResult>> both =
          Stream.of("one", "two")
              .map(name -> LoadSpec.upsert(new TableName(schema, name), List.of("id")))
              .map(spec -> threads.submit(() -> loadAt(start, spec, csv(true, schema))))
              .toList();
      for (Future<LoadResult> load : both) {
        assertThat(load.get().inserted()).isEqualTo(ROWS);
      }
    }
  }

  private LoadResult loadAt(CyclicBarrier start, LoadSpec spec, String csv) throws Exception {
    start.await();
    return loads.load(spec, csv);
  }
}
