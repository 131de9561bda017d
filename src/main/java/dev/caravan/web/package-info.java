/**
 * The REST face: one class per part of the contract, the OpenAPI document that comes first, and the
 * guard in front of every request; and the server of the management port.
 *
 * <p>Imports Camel, Vert.x, Jackson, the JSON Schema validator, {@code access}, {@code setup},
 * {@code upload}, {@code job.jdbc}, {@code pgload} (the stored rejects) and {@code failure}.
 */
package dev.caravan.web;
