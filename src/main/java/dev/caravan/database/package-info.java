/**
 * Connection pools, the migration of Caravan's own tables, and reading them as one tenant.
 *
 * <p>Imports java, JDBC, HikariCP, Flyway and {@code failure}.
 */
package dev.caravan.database;
