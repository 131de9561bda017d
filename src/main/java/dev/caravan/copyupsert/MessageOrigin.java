package dev.caravan.copyupsert;

import dev.caravan.pgload.Fence;
import dev.caravan.pgload.LoadOrigin;
import dev.caravan.pgload.LoadProgress;
import java.io.InputStream;
import java.util.Optional;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** The message as the origin of a load; knows the content's hash once it has been read. */
final class MessageOrigin implements LoadOrigin {

  private final LoadJournal.Entry entry;
  private final CopyUpsertLoad load;
  private final String file;
  private ContentStream content;
  private String sha256;

  MessageOrigin(CopyUpsertLoad load, Message message, LoadJournal.Entry entry) {
    this.load = load;
    this.entry = entry;
    file = message.getHeader(Exchange.FILE_NAME, "message body", String.class);
  }

  /** The stream to read the content from. */
  InputStream reading(InputStream body) {
    content = new ContentStream(body, progress());
    return content;
  }

  @Override
  public UUID loadId() {
    return entry.id();
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

  @Override
  public Optional<Fence> fence() {
    return entry.fence();
  }

  @Override
  public LoadProgress progress() {
    return entry.progress();
  }
}
