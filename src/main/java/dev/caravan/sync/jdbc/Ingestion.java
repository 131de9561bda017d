package dev.caravan.sync.jdbc;

/**
 * What the back office calls a job by.
 *
 * @param factorTypeId null for data entries
 * @param targetType data_entries or factors
 * @param year that is synced
 * @param metadata JSON object: what the caller asked for, as far as it is worth showing
 * @param createdBy who asked
 */
public record Ingestion(
    SyncedModule module,
    Integer factorTypeId,
    String providerType,
    String targetType,
    int year,
    String metadata,
    String createdBy) {}
