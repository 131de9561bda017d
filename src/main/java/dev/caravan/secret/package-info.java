/**
 * Secrets as they are kept: encrypted, each bound to its place.
 *
 * <p>Imports java, Tink and {@code failure}. It knows no database and no HTTP.
 */
package dev.caravan.secret;
