/**
 * CSV bytes as a stream of records. Our own scanner, because the load needs what no CSV library
 * gives: the line and byte offset of every record, its raw text, and a next record after a bad one
 * (docs/adr/0003-own-csv-scanner.md). A property test holds it against FastCSV.
 *
 * <p>Imports nothing but java, {@code failure} and {@code record}.
 */
package dev.caravan.record.csv;
