package dev.caravan.imports;

import dev.caravan.source.sftp.SftpFileGate;
import dev.caravan.source.sftp.SftpPoll;
import java.time.Duration;

/**
 * Looks into the folder of one project. It keeps what the last look showed, and nothing of the
 * project's rules: thousands of projects that wait for files must fit into memory.
 *
 * @param tenant whose share of the polls it uses
 * @param key of the project
 * @param interval from the end of one look to the next
 * @param gate remembers what the looks have shown
 */
record Poller(String tenant, String key, Duration interval, SftpFileGate gate, SftpPoll poll) {}
