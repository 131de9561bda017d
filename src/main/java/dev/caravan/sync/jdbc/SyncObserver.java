package dev.caravan.sync.jdbc;

import dev.caravan.job.JobState;
import dev.caravan.job.jdbc.JobObserver;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A module shows its last syncs, and a sync that is done again has a number of its own. */
public final class SyncObserver implements JobObserver {

  private static final Logger LOG = LoggerFactory.getLogger(SyncObserver.class);

  /** The table may be the back office's own, so it never keeps a job from ending. */
  @Override
  public void ended(Connection connection, UUID job, JobState state) throws SQLException {
    String sql =
        """
        UPDATE public.modules m SET last_sync_status = coalesce(m.last_sync_status, '{}') ||
          jsonb_build_object(d.provider_type, jsonb_build_object('job_id', d.id,
            'target_type', d.target_type, 'year', d.year,
            'status', CASE j.state WHEN 'completed' THEN 'completed' ELSE 'failed' END,
            'at', j.completed_at))
        FROM caravan.data_ingestion d JOIN caravan.job j ON j.id = d.job_id
        WHERE d.job_id = ? AND m.id = d.module_id""";
    Savepoint before = connection.setSavepoint();
    try (Statement limit = connection.createStatement();
        PreparedStatement update = connection.prepareStatement(sql)) {
      limit.execute("SET LOCAL lock_timeout = '2s'");
      update.setObject(1, job);
      update.executeUpdate();
      limit.execute("SET LOCAL lock_timeout TO DEFAULT");
      connection.releaseSavepoint(before);
    } catch (SQLException e) {
      connection.rollback(before);
      LOG.warn("modules.last_sync_status was not written for job {}: {}", job, e.getMessage());
    }
  }

  /**
   * A replay of corrected rejects that is done again repeats a part of a sync. That is no sync: it
   * has no number, so that no history shows it and its module keeps the state of the sync.
   */
  @Override
  public void retried(Connection connection, UUID job, UUID retryOf) throws SQLException {
    String sql =
        """
        INSERT INTO caravan.data_ingestion (job_id, inventory_id, module_id, module_type_id,
          factor_type_id, provider_type, target_type, year, metadata, created_by)
        SELECT ?, inventory_id, module_id, module_type_id, factor_type_id, provider_type, target_type,
          year, metadata, created_by
        FROM caravan.data_ingestion WHERE job_id = ?""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, job);
      insert.setObject(2, retryOf);
      insert.executeUpdate();
    }
  }
}
