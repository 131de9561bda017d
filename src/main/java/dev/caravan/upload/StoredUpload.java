package dev.caravan.upload;

import java.time.Instant;
import java.util.UUID;

/**
 * A file that was received as a whole.
 *
 * @param sha256 in hexadecimal digits
 */
public record StoredUpload(
    UUID id, String filename, long bytes, String sha256, Instant createdAt) {}
