/**
 * What users write about their imports: which files of which SFTP server go into which tables, and
 * how. Reads a project from YAML or JSON, checks it against the published schema ({@code
 * project.schema.json} beside this package's classes) and answers for a file name which table it is
 * loaded into ({@link dev.caravan.project.ProjectConfig#plan}). Mapping files are read and checked
 * in the same way.
 *
 * <p>The schema is the one source of keys, defaults, ranges and descriptions; {@code
 * docs/projects.md} is generated from it.
 *
 * <p>Imports java, Jackson, the schema validator, {@code record} (mappings, how CSV is written) and
 * {@code failure}. Must not know Camel, JDBC, jobs or how a file is fetched and loaded: it neither
 * connects anywhere nor looks at files other than the project's own and the secrets that it refers
 * to.
 */
package dev.caravan.project;
