/**
 * Files of providers become routes: each provider fills in the templates of {@code
 * routes/shared/records.camel.yaml}, one that loads and one that checks.
 *
 * <p>Imports {@code project} (reads the files), {@code source.http}, {@code failure}, Jackson and
 * Camel. It knows no job and no contract.
 */
package dev.caravan.provider;
