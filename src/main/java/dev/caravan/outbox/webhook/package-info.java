/**
 * Effects of kind webhook: tells whoever asked for it how a job ended, signed as Standard Webhooks
 * has it, and only at addresses that the operator allows.
 *
 * <p>Imports java, JDBC, {@code failure}, {@code address}, {@code outbox}, Jackson and Apache
 * HttpClient. It reads the view {@code job_report} and knows no other job table.
 */
package dev.caravan.outbox.webhook;
