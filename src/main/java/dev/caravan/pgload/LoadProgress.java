package dev.caravan.pgload;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How far a load is, for somebody who looks from another thread. One object may see several loads
 * one after the other: it goes on counting.
 */
public final class LoadProgress {

  /** What a load does at the moment. */
  public enum Step {
    /** Records come in and go into the staging table or straight into a new one. */
    READING,
    /** All are there: values are checked, and rows whose key comes again are dropped. */
    CHECKING,
    /** The target is being written. */
    MERGING
  }

  private volatile Step step = Step.READING;
  private final AtomicLong rows = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong totalBytes = new AtomicLong();

  /** What the load does. */
  public Step step() {
    return step;
  }

  /** Records read so far. */
  public long rows() {
    return rows.get();
  }

  /** Bytes read so far; 0 when the source has none. */
  public long bytes() {
    return bytes.get();
  }

  /** Bytes that there are to read; 0 when nobody knows. */
  public long totalBytes() {
    return totalBytes.get();
  }

  /** A source of this size, which may be 0 for unknown, is added to what is to be read. */
  public void expect(long moreBytes) {
    totalBytes.addAndGet(moreBytes);
  }

  /** More of a source was read. */
  public void readBytes(long more) {
    bytes.addAndGet(more);
  }

  void readRows(long more) {
    rows.addAndGet(more);
  }

  void step(Step next) {
    step = next;
  }
}
