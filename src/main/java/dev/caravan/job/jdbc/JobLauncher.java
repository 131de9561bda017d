package dev.caravan.job.jdbc;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.FaultPoint;
import dev.caravan.job.IfRunning;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobRequest.IdempotencyKey;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.Launch;
import dev.caravan.job.Launch.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** Puts jobs into the queue. A launch is committed with the caller's transaction, or not at all. */
public final class JobLauncher {

  private final DataSource dataSource;
  private final int maxQueued;
  private final Runnable wake;
  private final List<JobObserver> observers;

  /**
   * @param maxQueued of one tenant in one queue, after which nothing more is launched here
   * @param wake tells the queue that there may be work, to spare it the wait for its next look
   * @param observers write in the transaction of each retry
   */
  public JobLauncher(
      DataSource dataSource, int maxQueued, Runnable wake, List<JobObserver> observers) {
    this.dataSource = dataSource;
    this.maxQueued = maxQueued;
    this.observers = List.copyOf(observers);
    this.wake = wake;
  }

  /**
   * Launches in a transaction of its own. As {@link #launch(Connection, JobRequest)} else.
   *
   * @throws CaravanException QUEUE_FULL when as many jobs of the tenant wait as may
   */
  public Launch launch(JobRequest request) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      Launch launch = launch(connection, request);
      if (launch.outcome() == Outcome.LAUNCHED) {
        requireRoom(connection, launch.jobId());
      }
      connection.commit();
      FaultPoint.hit("K1");
      wake.run();
      return launch;
    }
  }

  /**
   * Launches in the caller's transaction.
   *
   * @throws CaravanException ALREADY_RUNNING when the request says so, IDEMPOTENCY_CONFLICT when
   *     the key came with another request
   */
  public static Launch launch(Connection connection, JobRequest request) throws SQLException {
    UUID id = UUID.randomUUID();
    if (request.idempotencyKey().isPresent()) {
      Optional<UUID> known =
          knownKey(connection, request.tenant(), request.idempotencyKey().get(), id);
      if (known.isPresent()) {
        return new Launch(Outcome.REPEATED, known.get());
      }
    }
    if (request.single().isPresent() && request.ifRunning() != IfRunning.QUEUE) {
      Optional<UUID> running = running(connection, request.single().get());
      if (running.isPresent()) {
        return instead(connection, request, running.get());
      }
    }
    if (request.source().isPresent()) {
      Optional<UUID> other =
          otherJob(connection, request.project(), request.source().get(), id, false);
      if (other.isPresent()) {
        return new Launch(Outcome.SKIPPED, other.get());
      }
    }
    insert(connection, id, request);
    return new Launch(Outcome.LAUNCHED, id);
  }

  /**
   * Does the work of a job again that failed or was cancelled: the same request, a new job.
   *
   * @return empty when there is no such job, or when it did not end that way
   * @throws CaravanException QUEUE_FULL when as many jobs of the tenant wait as may
   */
  public Optional<UUID> retry(UUID job) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job (id, kind, project, state, tenant, queue, priority, route,
          parameters, connection, target, single, retry_of, callback_url, max_attempts, timeout)
        SELECT ?, kind, project, 'queued', tenant, queue, priority, route, parameters, connection,
          target, single, id, callback_url, max_attempts, timeout
        FROM caravan.job
        WHERE id = ? AND state IN ('failed', 'cancelled') AND route IS NOT NULL
        RETURNING id""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert = connection.prepareStatement(sql);
        PreparedStatement sources =
            connection.prepareStatement(
                "UPDATE caravan.job_source SET job_id = ? WHERE job_id = ?")) {
      connection.setAutoCommit(false);
      UUID id = UUID.randomUUID();
      insert.setObject(1, id);
      insert.setObject(2, job);
      Optional<UUID> retry = first(insert);
      sources.setObject(1, id);
      sources.setObject(2, job);
      if (retry.isPresent()) {
        requireRoom(connection, id);
        sources.executeUpdate();
        for (JobObserver observer : observers) {
          observer.retried(connection, id, job);
        }
      }
      connection.commit();
      wake.run();
      return retry;
    }
  }

  /** So that no tenant fills the table; calls at the same moment do not see each other's jobs. */
  private void requireRoom(Connection connection, UUID job) throws SQLException {
    String sql =
        """
        SELECT q.queue, q.waiting FROM caravan.job j, LATERAL (
          SELECT j.queue, count(*) AS waiting FROM (
            SELECT FROM caravan.job o WHERE o.queue = j.queue AND o.tenant = j.tenant
              AND o.state = 'queued' AND o.admission IS NULL LIMIT ?) counted) q
        WHERE j.id = ?""";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setInt(1, maxQueued + 1);
      query.setObject(2, job);
      try (ResultSet row = query.executeQuery()) {
        if (row.next() && row.getInt(2) > maxQueued) {
          throw new CaravanException(
              FailureCode.QUEUE_FULL,
              "%d jobs of the tenant wait in the queue '%s'; more may not. Try again later."
                  .formatted(maxQueued, row.getString(1)));
        }
      }
    }
  }

  /**
   * The job of an idempotency key, if it was launched with these parameters; for a request that
   * cannot be made again, because what it names is gone.
   */
  public Optional<UUID> repeated(String tenant, String key, String parameters) throws SQLException {
    String sql =
        """
        SELECT j.id FROM caravan.idempotency_key k JOIN caravan.job j ON j.id = k.job_id
        WHERE k.tenant = ? AND k.key = ? AND j.parameters = ?::jsonb""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, tenant);
      query.setString(2, key);
      query.setString(3, parameters);
      return first(query);
    }
  }

  /** The job of the key; empty when the key is new and is that of {@code id} from now on. */
  private static Optional<UUID> knownKey(
      Connection connection, String tenant, IdempotencyKey key, UUID id) throws SQLException {
    String sql =
        """
        WITH added AS (
          INSERT INTO caravan.idempotency_key (tenant, key, request_sha256, job_id)
          VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING key)
        SELECT count(*) FROM added""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setString(1, tenant);
      insert.setString(2, key.key());
      insert.setString(3, key.requestSha256());
      insert.setObject(4, id);
      try (ResultSet row = insert.executeQuery()) {
        row.next();
        if (row.getInt(1) == 1) {
          return Optional.empty();
        }
      }
    }
    String select =
        "SELECT job_id, request_sha256 FROM caravan.idempotency_key WHERE tenant = ? AND key = ?";
    try (PreparedStatement query = connection.prepareStatement(select)) {
      query.setString(1, tenant);
      query.setString(2, key.key());
      try (ResultSet row = query.executeQuery()) {
        row.next();
        if (!row.getString(2).equals(key.requestSha256())) {
          throw new CaravanException(
              FailureCode.IDEMPOTENCY_CONFLICT,
              "This idempotency key came before with another request; use a new key for it.");
        }
        return Optional.of(row.getObject(1, UUID.class));
      }
    }
  }

  /** Launches of the same thing pass here one after the other. */
  private static Optional<UUID> running(Connection connection, String single) throws SQLException {
    String lock = "SELECT pg_advisory_xact_lock(hashtextextended('caravan.single.' || ?, 0))";
    try (PreparedStatement statement = connection.prepareStatement(lock)) {
      statement.setString(1, single);
      statement.execute();
    }
    String sql =
        """
        SELECT id FROM caravan.job
        WHERE single = ? AND state IN ('queued', 'running') ORDER BY seq LIMIT 1""";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setString(1, single);
      return first(query);
    }
  }

  private static Launch instead(Connection connection, JobRequest request, UUID running)
      throws SQLException {
    if (request.ifRunning() == IfRunning.FAIL) {
      throw new CaravanException(
          FailureCode.ALREADY_RUNNING,
          "Job %s is the same thing and has not ended.".formatted(running));
    }
    if (request.idempotencyKey().isPresent()) {
      String sql = "UPDATE caravan.idempotency_key SET job_id = ? WHERE tenant = ? AND key = ?";
      try (PreparedStatement update = connection.prepareStatement(sql)) {
        update.setObject(1, running);
        update.setString(2, request.tenant());
        update.setString(3, request.idempotencyKey().get().key());
        update.executeUpdate();
      }
    }
    Outcome outcome = request.ifRunning() == IfRunning.ATTACH ? Outcome.ATTACHED : Outcome.SKIPPED;
    return new Launch(outcome, running);
  }

  /**
   * Gives the file to the job, unless another one has it. A job that failed for a reason that may
   * pass lets it go after a while, and every job that has ended if it is loaded {@code again}.
   */
  static Optional<UUID> otherJob(
      Connection connection, String project, SourceFile file, UUID job, boolean again)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job_source AS s (project, file, size, modified_at, job_id)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (project, file, size, modified_at) DO UPDATE SET job_id = CASE
          WHEN EXISTS (SELECT FROM caravan.job j WHERE j.id = s.job_id AND (
            j.state = 'failed' AND j.code = ANY (?)
              AND j.completed_at < clock_timestamp() - interval '30 s'
            OR ? AND j.state NOT IN ('queued', 'running')))
          THEN excluded.job_id ELSE s.job_id END
        RETURNING job_id""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setString(1, project);
      insert.setString(2, file.name());
      insert.setLong(3, file.size());
      insert.setTimestamp(4, Timestamp.from(file.modifiedAt()));
      insert.setObject(5, job);
      insert.setArray(6, connection.createArrayOf("text", transientCodes()));
      insert.setBoolean(7, again);
      return first(insert).filter(owner -> !owner.equals(job));
    }
  }

  static Object[] transientCodes() {
    return Arrays.stream(FailureCode.values())
        .filter(FailureCode::retryable)
        .map(Enum::name)
        .toArray();
  }

  private static void insert(Connection connection, UUID id, JobRequest request)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.job (id, kind, project, state, tenant, queue, priority, route,
          parameters, connection, target, single, retry_of, callback_url, max_attempts, timeout,
          expires_at)
        VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?, ?,
          ?::bigint * interval '1 ms', clock_timestamp() + ?::bigint * interval '1 ms')""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, id);
      insert.setString(2, request.kind());
      insert.setString(3, request.project());
      insert.setString(4, request.tenant());
      insert.setString(5, request.queue());
      insert.setInt(6, request.priority());
      insert.setString(7, request.route());
      insert.setString(8, request.parameters());
      insert.setString(9, request.connection().orElse(null));
      insert.setString(10, request.target().orElse(null));
      insert.setString(11, request.single().orElse(null));
      insert.setObject(12, request.retryOf().orElse(null));
      insert.setString(13, request.callbackUrl().orElse(null));
      insert.setInt(14, request.maxAttempts());
      insert.setObject(15, request.timeout().map(Duration::toMillis).orElse(null));
      insert.setObject(16, request.startWithin().map(Duration::toMillis).orElse(null));
      insert.executeUpdate();
    }
  }

  private static Optional<UUID> first(PreparedStatement query) throws SQLException {
    try (ResultSet row = query.executeQuery()) {
      return row.next() ? Optional.of(row.getObject(1, UUID.class)) : Optional.empty();
    }
  }
}
