package dev.caravan.outbox;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerBuilder;
import com.github.kagkarlsson.scheduler.SchedulerName;
import dev.caravan.database.Database;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** An outbox in a database of its own, and nodes that carry it out. */
public final class OutboxRig implements AutoCloseable {

  /** Three more attempts, soon. */
  public static final RetrySchedule QUICK =
      new RetrySchedule(
          List.of(Duration.ofMillis(20), Duration.ofMillis(20), Duration.ofMillis(20)));

  /** One more attempt, after the test. */
  public static final RetrySchedule NEXT_HOUR = new RetrySchedule(List.of(Duration.ofHours(1)));

  private static final int THREADS = 6;

  private final TestDatabase test = TestDatabase.create();
  private final Database database = Database.open("outbox", test.url(), null, null, 8);
  private final Sql sql = new Sql(test.url(), null, null);
  private final Outbox outbox = new Outbox(database.dataSource());
  private final Deque<Scheduler> nodes = new ArrayDeque<>();

  public OutboxRig() {
    database.migrate();
  }

  public Outbox outbox() {
    return outbox;
  }

  public Sql sql() {
    return sql;
  }

  /** In which nothing is committed yet. */
  public Connection transaction() throws SQLException {
    Connection connection = database.dataSource().getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  /** A job that failed. */
  public UUID job() throws SQLException {
    UUID id = UUID.randomUUID();
    sql.execute(
        """
        INSERT INTO caravan.job (id, kind, project, state, node, code, message, completed_at)
        VALUES ('%s', 'import', 'crm', 'failed', 'n', 'ENCODING', 'a message', now())"""
            .formatted(id));
    return id;
  }

  /** Adds an entry to a new job, committed. */
  public UUID add(String kind, String payload) throws SQLException {
    UUID job = job();
    try (Connection connection = transaction()) {
      UUID id = Outbox.add(connection, job, kind, payload);
      connection.commit();
      return id;
    }
  }

  /** The job of an entry. */
  public UUID jobOf(UUID entry) {
    return UUID.fromString(
        sql.value("SELECT job_id FROM caravan.outbox WHERE id = '%s'".formatted(entry)));
  }

  /** Starts a node; it is stopped by {@link #stopNodes}. */
  public Scheduler node(String name, Map<String, EffectHandler> handlers) {
    return node(name, handlers, THREADS);
  }

  /** Starts one that makes fewer attempts at once than it has threads. */
  public Scheduler node(String name, Map<String, EffectHandler> handlers, int atOnce) {
    Scheduler node = builder(name, handlers, atOnce).build();
    nodes.push(node);
    node.start();
    return node;
  }

  /** Starts a node that takes others for dead within half a second. */
  public Scheduler impatientNode(String name, Map<String, EffectHandler> handlers) {
    Scheduler node =
        builder(name, handlers, THREADS)
            .heartbeatInterval(Duration.ofMillis(100))
            .missedHeartbeatsLimit(4)
            .build();
    nodes.push(node);
    node.start();
    return node;
  }

  private SchedulerBuilder builder(String name, Map<String, EffectHandler> handlers, int atOnce) {
    return Scheduler.create(
            database.dataSource(), List.of(new OutboxTask(outbox, name, handlers, atOnce).task()))
        .schedulerName(new SchedulerName.Fixed(name))
        .tableName("caravan.scheduled_tasks")
        .pollingInterval(Duration.ofMillis(20))
        .shutdownMaxWait(Duration.ofMillis(100))
        .enablePriority()
        .threads(THREADS);
  }

  public void stopNodes() {
    while (!nodes.isEmpty()) {
      nodes.pop().stop();
    }
  }

  public String state(UUID entry) {
    return sql.value("SELECT state FROM caravan.outbox WHERE id = '" + entry + "'");
  }

  /** Outcome and status of each attempt. */
  public List<String> attempts(UUID entry) {
    return sql.rows(
        "SELECT outcome, status_code FROM caravan.outbox_attempt WHERE outbox_id = '%s' ORDER BY attempt"
            .formatted(entry));
  }

  /** Why the last attempt failed. */
  public String error(UUID entry) {
    return sql.value(
        "SELECT error FROM caravan.outbox_attempt WHERE outbox_id = '%s' ORDER BY attempt DESC"
            .formatted(entry));
  }

  /** Executions of the entry: none once it is over. */
  public long executions(UUID entry) {
    return Long.parseLong(
        sql.value(
            "SELECT count(*) FROM caravan.scheduled_tasks WHERE task_instance = '" + entry + "'"));
  }

  @Override
  public void close() {
    stopNodes();
    database.close();
  }
}
