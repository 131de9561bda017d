/**
 * How anything in Caravan says that it failed: a code from a closed list and a message for people.
 *
 * <p>Imports nothing but java; everybody may import it.
 */
package dev.caravan.failure;
