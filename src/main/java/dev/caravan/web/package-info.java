/**
 * The REST face: one class per contract. So far the reading calls: contract 1's jobs, and what they
 * refused; they listen on loopback.
 *
 * <p>Imports Camel, Jackson, {@code job.jdbc}, {@code pgload} (the stored rejects) and {@code
 * failure}.
 */
package dev.caravan.web;
