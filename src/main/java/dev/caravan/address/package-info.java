/**
 * Which hosts may be connected to when somebody else than the operator names them: an URL to call
 * back, a database, an SFTP server.
 *
 * <p>Imports java only.
 */
package dev.caravan.address;
