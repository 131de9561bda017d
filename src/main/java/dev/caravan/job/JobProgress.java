package dev.caravan.job;

/**
 * How far a job is.
 *
 * @param step what it does, in a word
 * @param bytes read so far
 * @param totalBytes 0 when nobody knows
 * @param rows read so far
 */
public record JobProgress(String step, long bytes, long totalBytes, long rows) {}
