package dev.caravan.job;

import dev.caravan.failure.FailureCode;
import java.util.List;
import java.util.UUID;

/**
 * How a job ended.
 *
 * @param jobId the job
 * @param kind what kind of work it was; of a small number
 * @param project whose job it was
 * @param state a final state
 * @param attempts how often it was tried
 * @param code why it failed; null when it did not
 * @param message for people: why it failed, or what there is to say of one that did not; or null
 * @param loads what became of its loads
 */
public record JobEnd(
    UUID jobId,
    String kind,
    String project,
    JobState state,
    int attempts,
    FailureCode code,
    String message,
    List<JobLoad> loads) {}
