package dev.caravan.testing;

import static org.awaitility.Awaitility.await;

import dev.caravan.database.Database;
import dev.caravan.job.Effect;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobRequest;
import dev.caravan.job.Retry;
import dev.caravan.job.camel.JobControl;
import dev.caravan.job.camel.JobRoutePolicyFactory;
import dev.caravan.job.camel.RouteWork;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.JobQueue;
import dev.caravan.job.queue.JobEngine;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.main.Main;
import org.apache.camel.main.SimpleMainShutdownStrategy;

/** A queue that works on the jobs of some routes, without the rest of the program. */
public final class JobRig implements AutoCloseable {

  private static final Retry RETRY = new Retry(4, Duration.ofMillis(1), Duration.ofMillis(4));

  private final TestDatabase test = TestDatabase.create();
  private final List<JobEnd> ended = new CopyOnWriteArrayList<>();
  private final List<Effect> effects = new CopyOnWriteArrayList<>();
  private final Database database;
  private final Main main = new Main();
  private final JobEngine engine;
  private final JobLauncher launcher;
  private final JobControl control;

  private JobRig(RouteBuilder routes, Duration noProgress) throws Exception {
    database = Database.open("test", test.url(), null, null, 8);
    database.migrate();
    JdbcJobRepository jobs =
        new JdbcJobRepository(
            database.dataSource(),
            "here",
            (c, job, e) -> effects.add(e),
            List.of(ended::add),
            List.of());
    main.setShutdownStrategy(new SimpleMainShutdownStrategy()); // has no hook that keeps it
    main.setPropertyPlaceholderLocations("file:application.properties");
    main.addOverrideProperty(
        "camel.main.routesIncludePattern", "file:routes/shared/jobs.camel.yaml");
    main.bind("policies", new JobRoutePolicyFactory(jobs, RETRY));
    main.bind("warehouse", database.dataSource());
    main.configure().addRoutesBuilder(routes);
    main.start();
    engine =
        new JobEngine(
                database.dataSource(),
                new JobQueue(database.dataSource(), jobs),
                new RouteWork(main.getCamelContext(), jobs, Set::of),
                new JobEngine.Settings(
                    "here",
                    List.of(new JobQueue.Limit("default", 2, 2)),
                    Duration.ofMillis(200),
                    noProgress,
                    Duration.ofDays(1)),
                List.of(),
                List.of(),
                List.of())
            .start();
    launcher = new JobLauncher(database.dataSource(), 1_000, engine::wake, List.of());
    control = new JobControl(jobs, name -> database.dataSource());
  }

  /** Starts it with routes of group {@code jobs}. */
  public static JobRig start(RouteBuilder routes) throws Exception {
    return new JobRig(routes, Duration.ofMinutes(1));
  }

  /** As above; an attempt that reads may stand still for so long. */
  public static JobRig start(RouteBuilder routes, Duration noProgress) throws Exception {
    return new JobRig(routes, noProgress);
  }

  public UUID launch(JobRequest request) throws SQLException {
    return launcher.launch(request).jobId();
  }

  public JobControl control() {
    return control;
  }

  public Main main() {
    return main;
  }

  /** Tells the job's kind, state, attempts and code in one line. */
  public String job(UUID id) {
    return sql()
        .value(
            "SELECT concat_ws(' ', kind, state, attempt, code) FROM caravan.job WHERE id = '%s'"
                .formatted(id));
  }

  /** Waits until the job is as it is to be. */
  public void awaitJob(UUID id, String asItIsToBe) {
    await(asItIsToBe).atMost(Duration.ofSeconds(30)).until(() -> job(id).endsWith(asItIsToBe));
  }

  public Sql sql() {
    return new Sql(test.url(), null, null);
  }

  /** How jobs ended, as listeners are told. */
  public List<JobEnd> ended() {
    return ended;
  }

  /** What is to happen after the commit. */
  public List<Effect> effects() {
    return effects;
  }

  /** Stops the queue as a node that is asked to stop does. */
  public void stopQueue() {
    engine.close();
  }

  @Override
  public void close() {
    engine.close();
    main.stop();
    database.close();
  }
}
