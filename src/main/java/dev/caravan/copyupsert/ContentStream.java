package dev.caravan.copyupsert;

import dev.caravan.pgload.LoadProgress;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Counts and hashes what is read, so that the content is known when its end is reached. */
final class ContentStream extends FilterInputStream {

  private final MessageDigest sha256;
  private final LoadProgress progress;
  private long bytes;

  ContentStream(InputStream in, LoadProgress progress) {
    super(in);
    this.progress = progress;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public int read() throws IOException {
    int b = super.read();
    if (b >= 0) {
      sha256.update((byte) b);
      bytes++;
      progress.readBytes(1);
    }
    return b;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int n = super.read(target, offset, length);
    if (n > 0) {
      sha256.update(target, offset, n);
      bytes += n;
      progress.readBytes(n);
    }
    return n;
  }

  @Override
  public long skip(long n) throws IOException {
    return readNBytes((int) Math.min(n, 8192)).length; // skipped bytes are content, too
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  /** In hex; asked once, after the end. */
  String sha256() {
    return HexFormat.of().formatHex(sha256.digest());
  }

  long bytes() {
    return bytes;
  }
}
