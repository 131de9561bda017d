/**
 * The words of Tableau's VizQL Data Service: how a connected app signs in, what a query looks like,
 * and what an answer or an error means. The calls stand in {@code
 * routes/shared/tableau.camel.yaml}.
 *
 * <p>Imports {@code source.http}, {@code record}, {@code failure}, Camel, Jackson and Nimbus. It
 * knows no table, no module and no job.
 */
package dev.caravan.source.tableau;
