/**
 * Files that callers upload: kept in the database while they wait for their import, so that any
 * node can load them, and read from there in pieces.
 *
 * <p>Imports java, JDBC, {@code database} and {@code failure}. It knows no HTTP and no Camel.
 */
package dev.caravan.upload;
