package dev.caravan.source.entry;

import java.io.IOException;
import java.io.InputStream;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;

/** What callers have uploaded by HTTP. */
@FunctionalInterface
public interface UploadedFiles {

  /** The content of an upload as it came; empty when there is none of the id, or none any more. */
  Optional<InputStream> open(UUID id) throws SQLException, IOException;
}
