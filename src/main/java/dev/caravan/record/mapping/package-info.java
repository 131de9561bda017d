/**
 * What a provider calls its fields becomes what a table calls its columns: one rule for each
 * column, applied to one record after the other.
 *
 * <p>Imports {@code record} and {@code failure}. It knows no file format, no database and no Camel.
 */
package dev.caravan.record.mapping;
