package dev.caravan.outbox;

import java.time.Duration;
import java.util.UUID;

/**
 * An effect that is to happen.
 *
 * @param pending false when it is done or given up
 * @param retries places of its retry schedule that are used up
 * @param soon the same of the short schedule
 * @param age since it was added
 */
record OutboxEntry(
    UUID id,
    UUID jobId,
    String kind,
    String payload,
    boolean pending,
    int retries,
    int soon,
    Duration age) {}
