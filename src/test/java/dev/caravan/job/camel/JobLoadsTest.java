package dev.caravan.job.camel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobLoad;
import dev.caravan.job.JobRequest;
import dev.caravan.job.queue.JobThreads;
import dev.caravan.testing.JobRig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.processor.aggregate.UseOriginalAggregationStrategy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** A job with eight loads side by side, into eight tables. */
class JobLoadsTest {

  private static final List<Integer> EIGHT = List.of(1, 2, 3, 4, 5, 6, 7, 8);

  private final JobThreads threads = new JobThreads(16);
  private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
  private final Map<String, Source> sources = new ConcurrentHashMap<>();
  private final CountDownLatch never = new CountDownLatch(1);
  private JobRig rig;

  /** Where the records of one load come from. */
  @FunctionalInterface
  private interface Source {
    InputStream open() throws Exception;
  }

  @BeforeEach
  void start() throws Exception {
    rig = JobRig.start(new Routes());
  }

  @AfterEach
  void stop() {
    never.countDown();
    rig.close();
    threads.close();
  }

  private final class Routes extends RouteBuilder {
    @Override
    public void configure() {
      from("direct:each")
          .routeId("each")
          .group("jobs")
          .routeConfigurationId("jobs")
          .setBody(constant(EIGHT))
          .split(body(), new UseOriginalAggregationStrategy(null, true))
          .parallelProcessing()
          .executorService(threads)
          .stopOnException()
          .doTry()
          .process(JobLoadsTest.this::describe)
          .toD("copy-upsert:t${header.n}?mode=append&emptyFiles=SKIP&dataSource=#bean:warehouse")
          .doCatch(Exception.class)
          .process(new FailedLoad())
          .end()
          .end();
      from("direct:all")
          .routeId("all")
          .group("jobs")
          .routeConfigurationId("jobs")
          .setBody(constant(EIGHT))
          .split(body(), new UseOriginalAggregationStrategy(null, true))
          .parallelProcessing()
          .executorService(threads)
          .stopOnException()
          .process(JobLoadsTest.this::describe)
          .toD("copy-upsert:t${header.n}?mode=append&dataSource=#bean:warehouse")
          .end();
      from("direct:twice")
          .routeId("twice")
          .group("jobs")
          .routeConfigurationId("jobs")
          .setBody(constant("a\n1\n"))
          .to("copy-upsert:t1?mode=append&dataSource=#bean:warehouse")
          .setBody(constant("a\n2\n"))
          .to("copy-upsert:t2?mode=append&dataSource=#bean:warehouse");
    }
  }

  private void describe(Exchange exchange) {
    int n = exchange.getMessage().getBody(Integer.class);
    String label = "part " + n;
    assertThat(MDC.get("job")).as("the log knows the job").isNotBlank();
    exchange.getMessage().setHeader("n", n);
    exchange.getMessage().setHeader(CopyUpsertConstants.LABEL, label);
    exchange
        .getMessage()
        .setBody(
            (Callable<InputStream>)
                () -> {
                  asked.computeIfAbsent(label, l -> new AtomicInteger()).incrementAndGet();
                  return sources.getOrDefault(label, () -> csv("a\n" + n + "\n")).open();
                });
  }

  private static InputStream csv(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  /** One that begins, and then says nothing until it is interrupted or let go. */
  private InputStream silent() {
    return new InputStream() {
      private final InputStream start = csv("a\n1\n");

      @Override
      public int read() throws IOException {
        int b = start.read();
        if (b < 0) {
          try {
            never.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        }
        return b;
      }

      @Override
      public int read(byte[] target, int offset, int length) throws IOException {
        int b = read();
        if (b < 0) {
          return -1;
        }
        target[offset] = (byte) b;
        return 1;
      }
    };
  }

  private UUID launch(String route) throws Exception {
    return rig.launch(
        new JobRequest(route, "p", route)
            .connection("warehouse")
            .attempts(3, Duration.ofMinutes(5)));
  }

  private List<String> loads() {
    return rig.sql()
        .rows(
            "SELECT label, table_name, status, rows_inserted, code FROM caravan.job_load ORDER BY label");
  }

  private String committed() {
    return rig.sql()
        .value("SELECT count(*) FROM caravan.job_load WHERE status IN ('loaded', 'skipped')");
  }

  private String ledger() {
    return rig.sql().value("SELECT count(*) FROM caravan.load");
  }

  @Test
  void oneThatFailsIsShownAndTheOthersAreLoaded() throws Exception {
    sources.put("part 5", () -> csv("a,a\n1,2\n"));
    UUID job = launch("each");
    rig.awaitJob(job, "completed 1");
    assertThat(loads())
        .hasSize(8)
        .contains("part 1|public.t1|loaded|1|null", "part 8|public.t8|loaded|1|null")
        .contains("part 5|public.t5|failed|0|DUPLICATE_HEADER");
    assertThat(ledger()).isEqualTo("7");
    assertThat(
            rig.sql()
                .value(
                    "SELECT count(*) FROM caravan.job_load j JOIN caravan.load l USING (load_id)"))
        .isEqualTo("7");
    assertThat(rig.ended().get(0).loads())
        .extracting(JobLoad::label)
        .hasSize(8)
        .doesNotHaveDuplicates();
    assertThat(
            rig.sql()
                .value(
                    "SELECT jsonb_array_length(report->'loads') || ' ' || (report->'result'->>'inserted')"
                        + " FROM caravan.job_report"))
        .isEqualTo("8 7");
  }

  @Test
  void anotherAttemptAsksNoSourceAgainWhoseLoadIsCommitted() throws Exception {
    CountDownLatch others = new CountDownLatch(7);
    for (int n : EIGHT) {
      sources.put(
          "part " + n,
          () -> {
            others.countDown();
            return csv("a\n" + n + "\n");
          });
    }
    sources.put(
        "part 5",
        () -> {
          others.countDown();
          return csv("a\n");
        });
    AtomicInteger tries = new AtomicInteger();
    sources.put(
        "part 3",
        () -> {
          others.await();
          await().until(() -> committed().equals("7"));
          if (tries.incrementAndGet() == 1) {
            throw new CaravanException(FailureCode.DB_UNAVAILABLE, "away");
          }
          return csv("a\n3\n");
        });
    UUID job = launch("each");
    rig.awaitJob(job, "completed 2");
    assertThat(loads())
        .hasSize(8)
        .contains("part 5|public.t5|skipped|0|null")
        .filteredOn(load -> load.endsWith("|loaded|1|null"))
        .hasSize(7);
    assertThat(ledger()).isEqualTo("7");
    assertThat(rig.sql().value("SELECT report->'result'->>'files_skipped' FROM caravan.job_report"))
        .isEqualTo("1");
    assertThat(asked.get("part 3").get()).isEqualTo(2);
    assertThat(asked.values().stream().mapToInt(AtomicInteger::get).sum()).isEqualTo(9);
    assertThat(rig.ended().get(0).loads()).hasSize(8).allMatch(load -> load.elapsed() != null);
  }

  @Test
  void aCancelEndsThoseThatRunAndLeavesThoseThatAreLoaded() throws Exception {
    sources.put("part 2", this::silent);
    sources.put("part 7", this::silent);
    UUID job = launch("each");
    await().until(() -> committed().equals("6"));
    assertThat(rig.control().cancel(job)).isTrue();
    assertThat(rig.job(job)).endsWith("cancelled 1 CANCELLED");
    rig.stopQueue(); // the attempt has ended, too
    assertThat(loads())
        .contains(
            "part 2|public.t2|cancelled|0|CANCELLED", "part 7|public.t7|cancelled|0|CANCELLED")
        .filteredOn(load -> load.contains("|loaded|1|"))
        .hasSize(6);
    assertThat(ledger()).isEqualTo("6");
    assertThat(asked.values()).allMatch(times -> times.get() == 1);
  }

  @Test
  void whereOneFailureIsThatOfAllNothingIsCommittedAfterTheEnd() throws Exception {
    sources.put("part 2", this::silent);
    sources.put(
        "part 6",
        () -> {
          await().until(() -> asked.containsKey("part 2"));
          return csv("a,a\n1,2\n");
        });
    UUID job = launch("all");
    rig.awaitJob(job, "failed 1 DUPLICATE_HEADER");
    assertThat(loads())
        .contains(
            "part 6|public.t6|failed|0|DUPLICATE_HEADER",
            "part 2|public.t2|failed|0|DUPLICATE_HEADER")
        .noneMatch(load -> load.contains("|running|"));
    String committed = ledger();
    assertThat(committed()).isEqualTo(committed);
    never.countDown();
    rig.stopQueue();
    assertThat(ledger()).isEqualTo(committed);
    assertThat(rig.sql().rows("SELECT to_regclass('t2')")).containsExactly("null");
  }

  @Test
  void twoLoadsThatNobodyCanTellApartAreRefused() throws Exception {
    UUID job = launch("twice");
    rig.awaitJob(job, "failed 1 CONFIG_INVALID");
    assertThat(loads()).containsExactly("public.t1|public.t1|loaded|1|null");
  }
}
