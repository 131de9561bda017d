/**
 * Files on an SFTP server: which of them are ready, how one is read and verified, where it goes
 * when it is loaded. Camel's SFTP consumer does the polling; these are the parts it is given.
 *
 * <p>Imports java, Camel, JSch and {@code failure}. It knows no table, no job and no project; what
 * it must remember or report goes through {@link dev.caravan.source.sftp.SftpJournal}.
 */
package dev.caravan.source.sftp;
