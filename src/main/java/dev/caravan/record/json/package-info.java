/**
 * Records from JSON: lazily out of a stream, and nested values as JSON text with exact numbers.
 *
 * <p>Imports {@code record}, {@code failure} and Jackson. It knows no database and no Camel.
 */
package dev.caravan.record.json;
