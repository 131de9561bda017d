/**
 * What operators look at: metrics, JMX over HTTP, and a console that draws the routes. It reads and
 * changes nothing; who may look is decided by {@code web.ManagementServer}, which it does not know.
 *
 * <p>Imports {@code failure}, {@code job}, {@code outbox}, Camel, Micrometer, Jolokia and Vert.x.
 */
package dev.caravan.inspection;
