/**
 * The REST face: one class per contract. So far contract 1's reading calls; they listen on
 * loopback.
 *
 * <p>Imports Camel, {@code job.jdbc} and {@code failure}.
 */
package dev.caravan.web;
