/**
 * Effects outside PostgreSQL that leave after the commit: written in the transaction that ends a
 * job, carried out at least once by any node, each attempt on record.
 *
 * <p>Imports java, JDBC, {@code failure} and db-scheduler. It knows no job, no HTTP and no SFTP:
 * what an effect does is its handler's business.
 */
package dev.caravan.outbox;
