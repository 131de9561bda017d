/**
 * The job tables. SQL stands here and nowhere else in {@code job}.
 *
 * <p>Imports java, JDBC, {@code failure} and {@code job}.
 */
package dev.caravan.job.jdbc;
