/**
 * The benchmark: Caravan beside psql and what else people load CSV files with, on the same machine,
 * in the same run. It runs only when asked for; docs/benchmarks.md says how.
 */
package dev.caravan.bench;
