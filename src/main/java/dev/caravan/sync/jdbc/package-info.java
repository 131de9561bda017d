/**
 * Modules, their syncs and how these are: the SQL of contract 2.
 *
 * <p>Imports {@code database}, {@code failure} and {@code job}. It knows no route.
 */
package dev.caravan.sync.jdbc;
