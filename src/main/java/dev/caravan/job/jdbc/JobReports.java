package dev.caravan.job.jdbc;

import dev.caravan.database.TenantReads;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;

/** Jobs of one tenant as JSON, written by the view {@code caravan.job_report}. */
public final class JobReports {

  /** A tenant knows its project by the name after its own. */
  private static final String PROJECT =
      "jsonb_build_object('project', regexp_replace(r.report->>'project', '^.*[.]', ''))";

  private final TenantReads reads;

  /** The database of the job tables. */
  public JobReports(TenantReads reads) {
    this.reads = reads;
  }

  /**
   * A page of jobs, the newest first, without their loads: {@code {"jobs": [...], "next": cursor or
   * null}}.
   *
   * @param state of all of them; null for any
   * @param before the cursor of the page before; {@link Long#MAX_VALUE} for the first page
   */
  public String page(String tenant, String state, long before, int limit) throws SQLException {
    String sql =
        """
        WITH newest AS (
          SELECT j.seq, r.report - 'loads' || %s AS report, row_number() OVER (ORDER BY j.seq DESC) AS n
          FROM (SELECT id, seq FROM caravan.job
                WHERE tenant = ? AND (?::text IS NULL OR state = ?) AND seq < ?
                ORDER BY seq DESC LIMIT ? + 1) j
          JOIN caravan.job_report r ON r.id = j.id)
        SELECT jsonb_build_object(
          'jobs', coalesce(jsonb_agg(report ORDER BY n) FILTER (WHERE n <= ?), '[]'),
          'next', CASE WHEN count(*) > ? THEN (min(seq) FILTER (WHERE n <= ?))::text END)
        FROM newest"""
            .formatted(PROJECT);
    return reads
        .text(tenant, sql, tenant, state, state, before, limit, limit, limit, limit)
        .orElseThrow();
  }

  /** One job; empty when the tenant has none of the id. */
  public Optional<String> find(String tenant, UUID id) throws SQLException {
    return ofJob(
        "SELECT r.report || "
            + PROJECT
            + " FROM caravan.job j JOIN caravan.job_report r ON r.id = j.id",
        tenant,
        id);
  }

  /** The project of a job; empty when the tenant has none of the id. */
  public Optional<String> project(String tenant, UUID id) throws SQLException {
    return ofJob("SELECT j.project FROM caravan.job j", tenant, id);
  }

  /** Where a job is in its life; empty when the tenant has none of the id. */
  public Optional<String> state(String tenant, UUID id) throws SQLException {
    return ofJob("SELECT j.state FROM caravan.job j", tenant, id);
  }

  /**
   * A page of a job's log: {@code {"lines": [{seq, at, node, level, message}], "next": seq}}; the
   * next page are the lines after {@code next}, also those that are still to come.
   *
   * @param after lines with a larger number only; 0 for the first page
   * @return empty when the tenant has no job of the id
   */
  public Optional<String> log(String tenant, UUID id, long after, int limit) throws SQLException {
    String sql =
        """
        SELECT jsonb_build_object(
          'lines', coalesce(jsonb_agg(jsonb_build_object('seq', l.seq, 'at', l.at, 'node', l.node,
            'level', l.level, 'message', l.message) ORDER BY l.seq)
            FILTER (WHERE l.seq IS NOT NULL), '[]'),
          'next', coalesce(max(l.seq), ?))
        FROM caravan.job j LEFT JOIN LATERAL (
          SELECT * FROM caravan.job_log WHERE job_id = j.id AND seq > ? ORDER BY seq LIMIT ?) l ON true
        WHERE j.id = ? AND j.tenant = ? GROUP BY j.id""";
    return reads.text(tenant, sql, after, after, limit, id, tenant);
  }

  /**
   * The load of a job's file.
   *
   * @param file null when the job has one file only
   * @return it with its job; empty when there is none, or more than one to choose from
   */
  public Optional<FileLoad> load(String tenant, UUID id, String file) throws SQLException {
    String sql =
        """
        SELECT f.load_id, f.label, j.project, j.route, j.target, j.parameters
        FROM caravan.job j JOIN caravan.job_load f ON f.job_id = j.id
        WHERE j.id = ? AND j.tenant = ? AND (?::text IS NULL OR f.label = ?)
        LIMIT 2""";
    return reads.read(
        tenant,
        connection -> {
          try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setObject(1, id);
            query.setString(2, tenant);
            query.setString(3, file);
            query.setString(4, file);
            try (ResultSet row = query.executeQuery()) {
              if (!row.next()) {
                return Optional.empty();
              }
              FileLoad load =
                  new FileLoad(
                      row.getObject(1, UUID.class),
                      row.getString(2),
                      row.getString(3),
                      row.getString(4),
                      row.getString(5),
                      row.getString(6));
              return row.next() ? Optional.empty() : Optional.of(load);
            }
          }
        });
  }

  /**
   * A file of a job, and its load in the ledger.
   *
   * @param route that loaded it; null for a job outside of the queue
   * @param target of the job; null when it has none
   * @param parameters of the job, a JSON object
   */
  public record FileLoad(
      UUID loadId, String file, String project, String route, String target, String parameters) {}

  private Optional<String> ofJob(String select, String tenant, UUID id) throws SQLException {
    return reads.text(tenant, select + " WHERE j.id = ? AND j.tenant = ?", id, tenant);
  }

  /**
   * How many jobs of the tenant ended on each of the last days, and the rows they wrote: {@code
   * {"days": [{day, completed, failed, rows}]}}; days without any are there, too.
   */
  public String days(String tenant, int days) throws SQLException {
    String sql =
        """
        SELECT jsonb_build_object('days', jsonb_agg(jsonb_build_object('day', d.day::date,
          'completed', j.completed, 'failed', j.failed, 'rows', j.rows) ORDER BY d.day))
        FROM generate_series(date_trunc('day', now() AT TIME ZONE 'UTC') - (? - 1) * interval '1 day',
          date_trunc('day', now() AT TIME ZONE 'UTC'), interval '1 day') AS d(day)
        CROSS JOIN LATERAL (
          SELECT count(*) FILTER (WHERE j.state = 'completed') AS completed,
            count(*) FILTER (WHERE j.state = 'failed') AS failed,
            coalesce(sum(f.rows), 0) AS rows
          FROM caravan.job j LEFT JOIN LATERAL (
            SELECT sum(rows_inserted + rows_updated) AS rows FROM caravan.job_load
            WHERE job_id = j.id) f ON true
          WHERE j.tenant = ? AND j.completed_at >= d.day AT TIME ZONE 'UTC'
            AND j.completed_at < (d.day + interval '1 day') AT TIME ZONE 'UTC') j""";
    return reads.text(tenant, sql, days, tenant).orElseThrow();
  }

  /** Returns when the database answers. */
  public void ping() throws SQLException {
    reads.text("", "SELECT 1");
  }
}
