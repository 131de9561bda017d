/**
 * What every HTTP API needs beside camel-http: limits of size and time on the stream of an answer,
 * and failures with a code. Calls stand in the YAML routes.
 *
 * <p>Imports {@code failure}, Camel, Apache's HTTP client and Resilience4j. It knows no API, no
 * record and no job.
 */
package dev.caravan.source.http;
