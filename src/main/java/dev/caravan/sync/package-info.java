/**
 * Module sync (contract 2): which route brings which records, and how it becomes a job with a
 * number.
 *
 * <p>Imports {@code failure}, {@code job}, {@code database}, {@code copyupsert} (the load of a
 * route), Jackson and Camel. It knows no provider.
 */
package dev.caravan.sync;
