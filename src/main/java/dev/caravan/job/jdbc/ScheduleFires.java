package dev.caravan.job.jdbc;

import dev.caravan.job.JobRequest;
import dev.caravan.job.Launch;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** What was decided about the instants of schedules; the first node to write an instant decides. */
public final class ScheduleFires {

  private final DataSource dataSource;
  private final String node;

  /** The database of the job tables, and the name of this node. */
  public ScheduleFires(DataSource dataSource, String node) {
    this.dataSource = dataSource;
    this.node = node;
  }

  /** The last instant that was decided on; a schedule that is new begins now. */
  public Instant lastOrBegin(String schedule) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.schedule_fire (schedule, fire_time, outcome, reason, node)
        SELECT ?, clock_timestamp(), 'skipped', 'the schedule begins', ?
        WHERE NOT EXISTS (SELECT FROM caravan.schedule_fire WHERE schedule = ?)""";
    String last = "SELECT max(fire_time) FROM caravan.schedule_fire WHERE schedule = ?";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement begin = connection.prepareStatement(sql);
        PreparedStatement query = connection.prepareStatement(last)) {
      begin.setString(1, schedule);
      begin.setString(2, node);
      begin.setString(3, schedule);
      begin.executeUpdate();
      query.setString(1, schedule);
      try (ResultSet row = query.executeQuery()) {
        row.next();
        return row.getTimestamp(1).toInstant();
      }
    }
  }

  /** Launches for an instant, unless it was decided on before. */
  public Optional<Launch> launch(String schedule, Instant fireTime, JobRequest request)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      if (!decide(connection, schedule, fireTime, "launched", null)) {
        connection.rollback();
        return Optional.empty();
      }
      Launch launch = JobLauncher.launch(connection, request);
      note(connection, schedule, fireTime, launch);
      connection.commit();
      return Optional.of(launch);
    }
  }

  /** Notes that nothing is launched for an instant; false when it was decided on before. */
  public boolean skip(String schedule, Instant fireTime, String reason) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return decide(connection, schedule, fireTime, "skipped", reason);
    }
  }

  private boolean decide(
      Connection connection, String schedule, Instant fireTime, String outcome, String reason)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.schedule_fire (schedule, fire_time, outcome, reason, node)
        VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setString(1, schedule);
      insert.setTimestamp(2, Timestamp.from(fireTime));
      insert.setString(3, outcome);
      insert.setString(4, reason);
      insert.setString(5, node);
      return insert.executeUpdate() == 1;
    }
  }

  private static void note(Connection connection, String schedule, Instant fireTime, Launch launch)
      throws SQLException {
    String sql =
        """
        UPDATE caravan.schedule_fire SET job_id = ?, outcome = ?, reason = ?
        WHERE schedule = ? AND fire_time = ?""";
    boolean launched = launch.outcome() == Launch.Outcome.LAUNCHED;
    UUID job = launch.jobId();
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      update.setObject(1, job);
      update.setString(2, launched ? "launched" : "skipped");
      update.setString(3, launched ? null : "job " + job + " had not ended");
      update.setString(4, schedule);
      update.setTimestamp(5, Timestamp.from(fireTime));
      update.executeUpdate();
    }
  }
}
