/**
 * The Camel component {@code copy-upsert:}: a CSV stream or an iterator of records as the message
 * body goes into a PostgreSQL table; the exact counts come back.
 *
 * <p>Imports Camel, {@code pgload}, {@code record} and {@code failure}. It knows no job, no project
 * and no outside system.
 */
package dev.caravan.copyupsert;
