/**
 * The command line: a client of the REST API for people and scripts. It also checks project files
 * and writes new ones, without a server.
 *
 * <p>Imports java, picocli, Jackson, {@code project} (checks files as the server does), {@code
 * record.csv} (looks into samples) and {@code failure}. Must not know {@code web}, {@code job} or
 * {@code pgload}: what it knows of a running Caravan it knows from the contract.
 */
package dev.caravan.cli;
