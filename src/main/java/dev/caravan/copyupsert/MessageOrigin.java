package dev.caravan.copyupsert;

import dev.caravan.pgload.LoadOrigin;
import java.io.InputStream;
import java.util.UUID;

/** The message as the origin of a load; knows the content's hash once it has been read. */
final class MessageOrigin implements LoadOrigin {

  private final UUID loadId;
  private final CopyUpsertLoad load;
  private final String file;
  private ContentStream content;
  private String sha256;

  MessageOrigin(UUID loadId, CopyUpsertLoad load, String file) {
    this.loadId = loadId;
    this.load = load;
    this.file = file;
  }

  /** The stream to read the content from. */
  InputStream reading(InputStream body) {
    content = new ContentStream(body);
    return content;
  }

  @Override
  public UUID loadId() {
    return loadId;
  }

  @Override
  public String pipeline() {
    return load.pipeline();
  }

  @Override
  public String file() {
    return file;
  }

  @Override
  public String sha256() {
    if (sha256 == null && content != null) {
      sha256 = content.sha256();
    }
    return sha256;
  }

  @Override
  public long bytes() {
    return content == null ? 0 : content.bytes();
  }

  @Override
  public boolean force() {
    return load.force();
  }
}
