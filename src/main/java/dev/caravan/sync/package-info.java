/**
 * Module sync (contract 2): which route brings which records.
 *
 * <p>Imports {@code failure} and Camel. It knows no provider.
 */
package dev.caravan.sync;
