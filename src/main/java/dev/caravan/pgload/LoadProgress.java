package dev.caravan.pgload;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How far a load is, for somebody who looks from another thread, and the way to stop it from there.
 * One object may see several loads one after the other: it goes on counting.
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
  private Runnable abort = () -> {};
  private boolean stopped;

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

  /**
   * Ends the load that runs, and those after it, with DB_UNAVAILABLE: its connections are closed
   * here, as an interrupt does not wake a thread that waits for a server that keeps silent, and its
   * sessions are ended there, as a server that works on a statement does not see that nobody waits.
   */
  public synchronized void stop() {
    stopped = true;
    abort.run();
  }

  /** A load begins. */
  synchronized void begin(Runnable howToAbort) {
    abort = howToAbort;
    if (stopped) {
      abort.run();
    }
  }

  /** It has ended: its connection may be another's now. */
  synchronized void end() {
    abort = () -> {};
  }
}
