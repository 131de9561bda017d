/**
 * Works on the jobs of the queue: db-scheduler gives admitted jobs to this node and takes them from
 * nodes that are dead; what is done with one is somebody else's ({@link
 * dev.caravan.job.queue.JobWork}).
 *
 * <p>Imports java, db-scheduler, {@code failure}, {@code job} and {@code job.jdbc}; no Camel.
 */
package dev.caravan.job.queue;
