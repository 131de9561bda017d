/**
 * A job: one run of anything, with an id and a state. What observes and stores it is in the
 * packages below.
 *
 * <p>Imports java and {@code failure}. It knows no load engine, no web and no outside system.
 */
package dev.caravan.job;
