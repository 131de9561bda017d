package dev.caravan.sync.jdbc;

import dev.caravan.database.TenantReads;
import dev.caravan.job.JobRequest;
import dev.caravan.job.Launch;
import dev.caravan.job.jdbc.JobLauncher;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Modules and their syncs. A sync is a job with a number; job and number are written in one
 * transaction.
 */
public final class Ingestions {

  private static final String STATUS =
      """
      jsonb_build_object('job_id', r.id, 'status', r.status, 'status_code', r.status_code,
        'message', r.message, 'progress', r.progress, 'metadata', r.metadata,
        'started_at', r.started_at, 'completed_at', r.completed_at)""";

  private final DataSource dataSource;
  private final TenantReads reads;

  /**
   * @param dataSource of the job tables, where the tables of the back office are, too
   */
  public Ingestions(DataSource dataSource, TenantReads reads) {
    this.dataSource = dataSource;
    this.reads = reads;
  }

  /** A module; empty when there is none of the id. */
  public Optional<SyncedModule> module(int id) throws SQLException {
    String sql =
        """
        SELECT m.id, m.inventory_id, t.id, t.name FROM public.modules m
        JOIN public.module_types t ON t.id = m.module_type_id WHERE m.id = ?""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setInt(1, id);
      try (ResultSet row = query.executeQuery()) {
        return row.next()
            ? Optional.of(
                new SyncedModule(row.getInt(1), row.getInt(2), row.getInt(3), row.getString(4)))
            : Optional.empty();
      }
    }
  }

  /** True when the module's type has the factor type. */
  public boolean hasFactorType(SyncedModule module, int factorType) throws SQLException {
    String sql = "SELECT FROM public.factor_types WHERE id = ? AND module_type_id = ?";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setInt(1, factorType);
      query.setInt(2, module.typeId());
      try (ResultSet row = query.executeQuery()) {
        return row.next();
      }
    }
  }

  /** All modules with their factor types, as a JSON array. */
  public String modules() throws SQLException {
    String sql =
        """
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'inventory', i.name, 'year', i.year,
          'type', t.name, 'last_sync_status', m.last_sync_status,
          'factor_types', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name)
              ORDER BY f.id), '[]')
            FROM public.factor_types f WHERE f.module_type_id = t.id)) ORDER BY i.name, t.name), '[]')
        FROM public.modules m JOIN public.inventories i ON i.id = m.inventory_id
        JOIN public.module_types t ON t.id = m.module_type_id""";
    try (Connection connection = dataSource.getConnection();
        PreparedStatement query = connection.prepareStatement(sql);
        ResultSet row = query.executeQuery()) {
      row.next();
      return row.getString(1);
    }
  }

  /**
   * Launches the job of a sync.
   *
   * @return its number; that of the running one when the request attaches to it
   */
  public int launch(JobRequest request, Ingestion ingestion) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      Launch launch = JobLauncher.launch(connection, request);
      int id =
          launch.outcome() == Launch.Outcome.LAUNCHED
              ? insert(connection, launch.jobId(), ingestion)
              : number(connection, launch.jobId());
      connection.commit();
      return id;
    }
  }

  private static int insert(Connection connection, UUID job, Ingestion ingestion)
      throws SQLException {
    String sql =
        """
        INSERT INTO caravan.data_ingestion (job_id, inventory_id, module_id, module_type_id,
          factor_type_id, provider_type, target_type, year, metadata, created_by)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?)
        ON CONFLICT (job_id) DO UPDATE SET created_by = excluded.created_by -- of a retry
        RETURNING id""";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setObject(1, job);
      insert.setInt(2, ingestion.module().inventoryId());
      insert.setInt(3, ingestion.module().id());
      insert.setInt(4, ingestion.module().typeId());
      insert.setObject(5, ingestion.factorTypeId(), Types.INTEGER);
      insert.setString(6, ingestion.providerType());
      insert.setString(7, ingestion.targetType());
      insert.setInt(8, ingestion.year());
      insert.setString(9, ingestion.metadata());
      insert.setString(10, ingestion.createdBy());
      return first(insert);
    }
  }

  private static int number(Connection connection, UUID job) throws SQLException {
    String sql = "SELECT id FROM caravan.data_ingestion WHERE job_id = ?";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, job);
      return first(query);
    }
  }

  private static int first(PreparedStatement query) throws SQLException {
    try (ResultSet row = query.executeQuery()) {
      row.next();
      return row.getInt(1);
    }
  }

  /**
   * What a sync was started with.
   *
   * @param job the id of its job
   * @param state of the job, as contract 2 calls it
   * @param parameters JSON object
   */
  public record Past(
      UUID job,
      String state,
      int module,
      Integer factorType,
      String providerType,
      int year,
      String parameters) {}

  /** A sync of the tenant, to be done again; empty when there is none of the number. */
  public Optional<Past> past(String tenant, int id) throws SQLException {
    String sql =
        """
        SELECT r.job_id, r.status, r.module_id, r.factor_type_id, r.provider_type, r.year, j.parameters
        FROM caravan.sync_report r JOIN caravan.job j ON j.id = r.job_id
        WHERE r.id = ? AND r.tenant = ?""";
    return reads.read(
        tenant,
        connection -> {
          try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setInt(1, id);
            query.setString(2, tenant);
            try (ResultSet row = query.executeQuery()) {
              return row.next()
                  ? Optional.of(
                      new Past(
                          row.getObject(1, UUID.class),
                          row.getString(2),
                          row.getInt(3),
                          row.getObject(4, Integer.class),
                          row.getString(5),
                          row.getInt(6),
                          row.getString(7)))
                  : Optional.empty();
            }
          }
        });
  }

  /** How a sync is, as JSON; empty when the tenant has none of the number. */
  public Optional<String> status(String tenant, int id) throws SQLException {
    String sql = "SELECT " + STATUS + " FROM caravan.sync_report r WHERE r.id = ? AND r.tenant = ?";
    return reads.text(tenant, sql, id, tenant);
  }

  /**
   * The syncs of a module, the newest first, as a JSON array.
   *
   * @param providerType null for all
   */
  public String history(String tenant, int module, String providerType, int limit)
      throws SQLException {
    String sql =
        """
        SELECT coalesce(jsonb_agg(%s || jsonb_build_object('provider_type', r.provider_type,
          'target_type', r.target_type, 'factor_type_id', r.factor_type_id, 'year', r.year,
          'created_by', r.created_by) ORDER BY r.id DESC), '[]')
        FROM (SELECT * FROM caravan.sync_report
              WHERE module_id = ? AND tenant = ? AND (?::text IS NULL OR provider_type = ?)
              ORDER BY id DESC LIMIT ?) r"""
            .formatted(STATUS);
    return reads.text(tenant, sql, module, tenant, providerType, providerType, limit).orElseThrow();
  }
}
