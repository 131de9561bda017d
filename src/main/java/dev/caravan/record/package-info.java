/**
 * The lazy stream of records that a load pulls from: what a record looks like in flight, why one is
 * refused, and how source columns are named in the target.
 *
 * <p>Imports nothing but java and {@code failure}. It knows no database, no Camel and no job.
 */
package dev.caravan.record;
