package dev.caravan.sync;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Somebody wants records of a year brought into a module.
 *
 * @param factorTypeId null for data entries
 * @param filters JSON object: which records of the year; what it may say is the provider's
 * @param config JSON object: whatever else the provider needs
 * @param createdBy who asks
 */
public record SyncRequest(
    int moduleId,
    Integer factorTypeId,
    String providerType,
    int year,
    JsonNode filters,
    JsonNode config,
    String createdBy) {}
