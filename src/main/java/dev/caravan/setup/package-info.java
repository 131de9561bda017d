/**
 * What tenants set up by the API: connections to databases, and projects. They stand in the
 * database; those of the settings and of files belong to the tenant {@code default} and are read
 * only here.
 *
 * <p>Imports java, {@code failure}, {@code address}, {@code secret}, {@code database}, {@code
 * project}, Jackson and the PostgreSQL driver. It knows no HTTP and no Camel.
 */
package dev.caravan.setup;
