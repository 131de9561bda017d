package dev.caravan.imports;

import dev.caravan.setup.SftpOverrides;
import java.util.List;
import java.util.UUID;

/**
 * What an import of files that a call names is told when it is launched, kept with the job. One of
 * uploads, files and sftp is given.
 *
 * @param uploads ids of finished uploads of the tenant
 * @param files names in the tenant's folder of local files
 * @param sftp another server, or another folder, than the project's; null for none
 * @param force true to load content again that was loaded before
 */
public record GivenParameters(
    List<UUID> uploads, List<String> files, SftpOverrides.Kept sftp, boolean force) {

  public GivenParameters {
    uploads = uploads == null ? List.of() : List.copyOf(uploads);
    files = files == null ? List.of() : List.copyOf(files);
  }
}
