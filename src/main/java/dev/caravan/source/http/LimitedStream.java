package dev.caravan.source.http;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.MalformedChunkCodingException;

/** The content of an answer; ends with a failure that has a code. */
final class LimitedStream extends FilterInputStream {

  private final long maxBytes;
  private final Duration deadline;
  private final long end;
  private final Runnable disconnect;
  private long bytes;
  private boolean complete;

  /**
   * @param end the deadline as {@link System#nanoTime()}
   * @param disconnect called when the stream is closed before its end; else closing would read the
   *     rest, however long that takes
   */
  LimitedStream(InputStream in, long maxBytes, Duration deadline, long end, Runnable disconnect) {
    super(in);
    this.maxBytes = maxBytes;
    this.deadline = deadline;
    this.end = end;
    this.disconnect = disconnect;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int n;
    try {
      n = in.read(target, offset, length);
    } catch (IOException e) {
      throw broken(e);
    }
    if (n < 0) {
      complete = true;
      return n;
    }
    bytes += n;
    if (bytes > maxBytes) {
      throw new CaravanException(
          FailureCode.SOURCE_TOO_LARGE,
          "The answer has more than %,d bytes, which is the limit; ask for less, or raise it."
              .formatted(maxBytes));
    }
    if (System.nanoTime() - end > 0) {
      throw new CaravanException(
          FailureCode.SOURCE_UNAVAILABLE,
          "The answer was not complete after %d s; %,d bytes had come."
              .formatted(deadline.toSeconds(), bytes));
    }
    return n;
  }

  private CaravanException broken(IOException e) {
    boolean cut =
        e instanceof ConnectionClosedException
            || e instanceof MalformedChunkCodingException
            || e instanceof EOFException; // in the middle of gzip
    String what =
        cut
            ? "The answer ends after %,d bytes, before its end."
            : e instanceof SocketTimeoutException
                ? "The answer stalled after %,d bytes; nothing more came within the read timeout."
                : "The connection broke after %,d bytes of the answer.";
    return new CaravanException(
        cut ? FailureCode.SOURCE_INCOMPLETE : FailureCode.SOURCE_UNAVAILABLE,
        what.formatted(bytes),
        e);
  }

  @Override
  public long skip(long n) throws IOException {
    return readNBytes((int) Math.min(n, 8192)).length; // skipped bytes count, too
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  @Override
  public void close() throws IOException {
    if (!complete) {
      complete = true;
      disconnect.run();
    }
    super.close();
  }
}
