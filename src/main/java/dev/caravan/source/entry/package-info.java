/**
 * What a caller hands in: a CSV file in an allowed folder or uploaded, or rows in the request
 * itself.
 *
 * <p>Imports {@code record} and {@code failure}. It knows no job and no target.
 */
package dev.caravan.source.entry;
