package dev.caravan.job.jdbc;

import dev.caravan.job.Attempt;
import dev.caravan.job.JobEnd;
import dev.caravan.job.JobProgress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Which waiting jobs are admitted, and what the nodes do with them. An admitted job has an
 * execution of db-scheduler, named by the number of its admission; who of the nodes gets it, and
 * that it gets another when the first one dies, is db-scheduler's.
 */
public final class JobQueue {

  /** Name of db-scheduler's task of which one execution is one attempt. */
  public static final String TASK = "attempt";

  private static final Duration ADMIT_WAIT = Duration.ofMillis(100);
  private static final String LOCK_TIMEOUT = "55P03";

  private final DataSource dataSource;
  private final JdbcJobRepository jobs;

  /** The database of the job tables, and who writes how jobs end. */
  public JobQueue(DataSource dataSource, JdbcJobRepository jobs) {
    this.dataSource = dataSource;
    this.jobs = jobs;
  }

  /**
   * A queue and how much of it may be admitted at the same time, by all nodes together.
   *
   * @param jobs at the most
   * @param jobsPerTenant at the most of one tenant
   */
  public record Limit(String queue, int jobs, int jobsPerTenant) {}

  /**
   * Admits what the limit has room for. Tenants take turns; within a tenant the higher priority and
   * then the older job comes first; of one target there is one job at a time. Only one node admits
   * at a time; another one waits for it a moment, for it may not have seen what was freed here.
   *
   * @return how many were admitted
   */
  public int admit(Limit limit) throws SQLException {
    // heads: tenant by tenant and target by target, found by jumping through the index, so that a
    // tenant that floods the queue, or a busy target, costs one step.
    String sql =
        """
        WITH RECURSIVE room AS (
          SELECT ? - count(*) AS jobs FROM caravan.job WHERE queue = ? AND admission IS NOT NULL),
        tenants AS (
          (SELECT tenant FROM caravan.job
           WHERE queue = ? AND state = 'queued' AND admission IS NULL ORDER BY tenant LIMIT 1)
          UNION ALL
          SELECT n.tenant FROM tenants t CROSS JOIN LATERAL (
            SELECT tenant FROM caravan.job WHERE queue = ? AND state = 'queued'
              AND admission IS NULL AND tenant > t.tenant ORDER BY tenant LIMIT 1) n),
        targets AS (
          SELECT t.tenant, n.target FROM tenants t CROSS JOIN LATERAL (
            SELECT target FROM caravan.job WHERE queue = ? AND state = 'queued'
              AND admission IS NULL AND tenant = t.tenant AND target IS NOT NULL
            ORDER BY target LIMIT 1) n
          UNION ALL
          SELECT t.tenant, n.target FROM targets t CROSS JOIN LATERAL (
            SELECT target FROM caravan.job WHERE queue = ? AND state = 'queued'
              AND admission IS NULL AND tenant = t.tenant AND target > t.target
            ORDER BY target LIMIT 1) n),
        candidates AS (
          SELECT c.* FROM targets t CROSS JOIN LATERAL (
            SELECT id, tenant, target, priority, seq FROM caravan.job
            WHERE queue = ? AND state = 'queued' AND admission IS NULL AND tenant = t.tenant
              AND target = t.target AND run_after <= clock_timestamp()
            ORDER BY priority DESC, seq LIMIT 1) c
          WHERE NOT EXISTS (
            SELECT FROM caravan.job a WHERE a.target = t.target AND a.admission IS NOT NULL)
          UNION ALL
          SELECT c.* FROM tenants t CROSS JOIN LATERAL (
            SELECT id, tenant, target, priority, seq FROM caravan.job
            WHERE queue = ? AND state = 'queued' AND admission IS NULL AND tenant = t.tenant
              AND target IS NULL AND run_after <= clock_timestamp()
            ORDER BY priority DESC, seq LIMIT ?) c),
        turns AS (
          SELECT DISTINCT ON (coalesce(c.target, c.id::text)) c.id, c.priority, c.seq,
            row_number() OVER (PARTITION BY c.tenant ORDER BY c.priority DESC, c.seq)
              + (SELECT count(*) FROM caravan.job a
                 WHERE a.queue = ? AND a.tenant = c.tenant AND a.admission IS NOT NULL) AS turn
          FROM candidates c
          ORDER BY coalesce(c.target, c.id::text), turn, c.seq),
        admitted AS (
          UPDATE caravan.job SET admission = nextval('caravan.job_admission')
          WHERE id IN (SELECT id FROM turns WHERE turn <= ? ORDER BY turn, priority DESC, seq
                       LIMIT (SELECT greatest(jobs, 0) FROM room))
            AND state = 'queued' AND admission IS NULL
          RETURNING admission, priority)
        INSERT INTO caravan.scheduled_tasks
          (task_name, task_instance, execution_time, picked, version, priority)
        SELECT '%s', admission::text, clock_timestamp(), false, 1, priority FROM admitted"""
            .formatted(TASK);
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      if (!lock(connection, limit.queue())) {
        return 0;
      }
      try (PreparedStatement admit = connection.prepareStatement(sql)) {
        admit.setInt(1, limit.jobs());
        for (int i = 2; i <= 8; i++) {
          admit.setString(i, limit.queue());
        }
        admit.setInt(9, limit.jobs());
        admit.setString(10, limit.queue());
        admit.setInt(11, limit.jobsPerTenant());
        int admitted = admit.executeUpdate();
        connection.commit();
        return admitted;
      } finally {
        connection.rollback();
      }
    }
  }

  /** False when another node does not come to an end with it. */
  private static boolean lock(Connection connection, String queue) throws SQLException {
    String sql =
        """
        SET LOCAL lock_timeout = %d;
        SELECT pg_advisory_xact_lock(hashtextextended('caravan.admit.' || ?, 0));
        SET LOCAL lock_timeout TO DEFAULT"""
            .formatted(ADMIT_WAIT.toMillis());
    try (PreparedStatement lock = connection.prepareStatement(sql)) {
      lock.setString(1, queue);
      lock.execute();
      return true;
    } catch (SQLException e) {
      if (LOCK_TIMEOUT.equals(e.getSQLState())) {
        return false;
      }
      throw e;
    }
  }

  /** Ends the jobs that nobody began in their time. */
  public void expire() throws SQLException {
    String sql =
        """
        UPDATE caravan.job SET state = 'cancelled', code = 'EXPIRED', admission = NULL,
          message = 'no node began the job before ' || expires_at, completed_at = clock_timestamp()
        WHERE state = 'queued' AND started_at IS NULL AND expires_at < clock_timestamp()
        """
            + JdbcJobRepository.ENDED;
    try (Connection connection = dataSource.getConnection();
        PreparedStatement expire = connection.prepareStatement(sql)) {
      connection.setAutoCommit(false);
      List<JobEnd> expired = JdbcJobRepository.ended(expire);
      for (JobEnd end : expired) {
        jobs.announceEnd(connection, end.jobId(), end.state());
      }
      connection.commit();
      expired.forEach(jobs::tell);
    }
  }

  /**
   * Begins the next attempt of the job that has the admission, whether it waited or its node is
   * gone.
   *
   * @return empty when the job was ended or handed back meanwhile, or its time to begin is over
   */
  public Optional<Attempt> claim(long admission, String node) throws SQLException {
    String sql =
        """
        UPDATE caravan.job SET state = 'running', epoch = epoch + 1, attempt = attempt + 1,
          node = ?, started_at = coalesce(started_at, clock_timestamp()),
          unsure = unsure OR state = 'running'
        WHERE admission = ? AND state IN ('queued', 'running')
          AND (started_at IS NOT NULL OR expires_at IS NULL OR expires_at > clock_timestamp())
        RETURNING id, epoch, attempt, max_attempts, tenant, kind, project, route, parameters,
          extract(epoch FROM timeout) * 1000, unsure""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement claim = connection.prepareStatement(sql)) {
      claim.setString(1, node);
      claim.setLong(2, admission);
      try (ResultSet row = claim.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        long timeout = row.getLong(10);
        return Optional.of(
            new Attempt(
                row.getObject(1, UUID.class),
                row.getLong(2),
                row.getInt(3),
                row.getInt(4),
                row.getString(5),
                row.getString(6),
                row.getString(7),
                row.getString(8),
                row.getString(9),
                timeout == 0 ? Optional.empty() : Optional.of(Duration.ofMillis(timeout)),
                row.getBoolean(11)));
      }
    }
  }

  /** True when the admission is that of a job of one of the projects. */
  public boolean isOf(long admission, Set<String> projects) throws SQLException {
    String sql = "SELECT FROM caravan.job WHERE admission = ? AND project = ANY (?)";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setLong(1, admission);
      query.setArray(2, connection.createArrayOf("text", projects.toArray()));
      try (ResultSet row = query.executeQuery()) {
        return row.next();
      }
    }
  }

  /** Notes how far attempts are, all in one statement. */
  public void progress(Map<Attempt, JobProgress> progress) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job_progress AS p (job_id, epoch, step, bytes, total_bytes, rows)
        SELECT * FROM unnest(?::uuid[], ?::bigint[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[])
          AS n(job_id, epoch, step, bytes, total_bytes, rows)
        WHERE EXISTS (SELECT FROM caravan.job j WHERE j.id = n.job_id AND j.epoch = n.epoch)
        ON CONFLICT (job_id) DO UPDATE SET (epoch, step, bytes, total_bytes, rows, at) =
          (excluded.epoch, excluded.step, excluded.bytes, excluded.total_bytes, excluded.rows,
           clock_timestamp())
        WHERE p.epoch <= excluded.epoch""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement upsert = connection.prepareStatement(sql)) {
      List<Object[]> rows = new ArrayList<>();
      progress.forEach(
          (attempt, p) ->
              rows.add(
                  new Object[] {
                    attempt.jobId(),
                    attempt.epoch(),
                    p.step(),
                    p.bytes(),
                    known(p.totalBytes()),
                    p.rows()
                  }));
      setColumns(upsert, rows, "uuid", "bigint", "text", "bigint", "bigint", "bigint");
      upsert.executeUpdate();
      progressOfLoads(connection, progress);
    }
  }

  private static void progressOfLoads(Connection connection, Map<Attempt, JobProgress> progress)
      throws SQLException {
    List<Object[]> rows = new ArrayList<>();
    progress.forEach(
        (attempt, p) ->
            p.loads()
                .forEach(
                    load ->
                        rows.add(
                            new Object[] {
                              attempt.jobId(),
                              load.id(),
                              load.step(),
                              load.bytes(),
                              known(load.totalBytes()),
                              load.rows()
                            })));
    if (rows.isEmpty()) {
      return;
    }
    String sql =
        """
        UPDATE caravan.job_load l
        SET step = n.step, bytes = n.bytes, total_bytes = n.total_bytes, rows = n.rows
        FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[])
          AS n(job_id, load_id, step, bytes, total_bytes, rows)
        WHERE l.job_id = n.job_id AND l.load_id = n.load_id AND l.status = 'running'""";
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      setColumns(update, rows, "uuid", "uuid", "text", "bigint", "bigint", "bigint");
      update.executeUpdate();
    }
  }

  private static Long known(long totalBytes) {
    return totalBytes == 0 ? null : totalBytes;
  }

  /** Rows as one array for each of their columns. */
  private static void setColumns(PreparedStatement statement, List<Object[]> rows, String... types)
      throws SQLException {
    for (int c = 0; c < types.length; c++) {
      int column = c;
      Object[] values = rows.stream().map(row -> row[column]).toArray();
      statement.setArray(c + 1, statement.getConnection().createArrayOf(types[c], values));
    }
  }

  /**
   * Those of the attempts that are not the newest of their job any more, or whose job has ended.
   */
  public Set<Attempt> lost(Set<Attempt> attempts) throws SQLException {
    String sql = "SELECT id, epoch FROM caravan.job WHERE id = ANY (?) AND state = 'running'";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      Object[] ids = attempts.stream().map(Attempt::jobId).toArray();
      query.setArray(1, connection.createArrayOf("uuid", ids));
      Map<UUID, Long> epochs = new HashMap<>();
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          epochs.put(row.getObject(1, UUID.class), row.getLong(2));
        }
      }
      Set<Attempt> lost = new HashSet<>(attempts);
      lost.removeIf(a -> Long.valueOf(a.epoch()).equals(epochs.get(a.jobId())));
      return lost;
    }
  }

  /** The database's clock: leases are told by it, whatever the nodes' clocks say. */
  public Instant now() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement("SELECT clock_timestamp()");
        ResultSet row = query.executeQuery()) {
      row.next();
      return row.getTimestamp(1).toInstant();
    }
  }

  /** Deletes what ended longer ago than that, a part at a time. */
  public int deleteEnded(Duration age) throws SQLException {
    String sql =
        """
        DELETE FROM caravan.job WHERE id IN (
          SELECT id FROM caravan.job
          WHERE completed_at < clock_timestamp() - ?::bigint * interval '1 s'
            -- what is loaded and stays where it is must not be loaded again
            AND NOT EXISTS (SELECT FROM caravan.job_source s WHERE s.job_id = job.id)
          LIMIT 1000)""";
    String fires =
        """
        DELETE FROM caravan.schedule_fire
        WHERE fire_time < clock_timestamp() - ?::bigint * interval '1 s'""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement jobs = connection.prepareStatement(sql);
        PreparedStatement oldFires = connection.prepareStatement(fires)) {
      oldFires.setObject(1, age.toSeconds(), Types.BIGINT);
      oldFires.executeUpdate();
      jobs.setObject(1, age.toSeconds(), Types.BIGINT);
      return jobs.executeUpdate();
    }
  }
}
