/**
 * Connection pools and the migration of Caravan's own tables.
 *
 * <p>Imports java, JDBC, HikariCP, Flyway and {@code failure}.
 */
package dev.caravan.database;
