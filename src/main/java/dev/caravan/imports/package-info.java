/**
 * The import job: ties a project, its files on SFTP, the load and the job record together, and puts
 * one route per project into the context. What flows stands in {@code routes/jobs}.
 *
 * <p>Imports Camel, {@code project}, {@code source.sftp}, {@code copyupsert}, {@code job} and what
 * they need. Nobody but the application imports it.
 */
package dev.caravan.imports;
