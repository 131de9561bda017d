/**
 * HTTP APIs. {@code HttpSource} is one that a provider's file describes: request, credentials,
 * pages, what an answer means. Beside it stand steps for routes that make calls of their own:
 * limits of size and time on the stream of an answer, and failures with a code.
 *
 * <p>Imports {@code record}, {@code failure}, Camel, Jackson, JSON Schema, Nimbus JOSE, Apache's
 * HTTP client and Resilience4j. It knows no API by name, no job and no target.
 */
package dev.caravan.source.http;
