/**
 * Observes the routes of group {@code jobs} and writes each exchange as a job.
 *
 * <p>Imports Camel, {@code copyupsert} (the headers that it reads), {@code pgload} (fence,
 * progress, rejects), {@code failure} and {@code job}; what it observes does not know it.
 */
package dev.caravan.job.camel;
