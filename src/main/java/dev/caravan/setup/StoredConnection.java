package dev.caravan.setup;

import java.time.Instant;
import java.util.UUID;

/**
 * A connection, without its password.
 *
 * @param description may be null
 * @param url null for one of the settings, which are opened elsewhere
 * @param shownUrl its address with the password masked
 * @param hasPassword whether one is stored for it
 * @param version grows with each change
 * @param readOnly true for one of the settings
 */
public record StoredConnection(
    UUID id,
    String tenant,
    String name,
    String description,
    DatabaseUrl url,
    String shownUrl,
    boolean hasPassword,
    long version,
    Instant createdAt,
    Instant updatedAt,
    boolean readOnly) {}
