/**
 * One stream of records into one PostgreSQL table in one transaction: COPY into a staging table,
 * one merge, every record accounted for in the ledger or in the rejects table.
 *
 * <p>Imports java, the PostgreSQL driver, FastCSV (the export of rejects), {@code failure} and
 * {@code record}. It knows no Camel and no job; every SQL identifier is quoted by {@link
 * dev.caravan.pgload.Identifier}.
 */
package dev.caravan.pgload;
