package dev.caravan.setup;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * What a PostgreSQL server sends, and not before it was looked at. The driver makes room for as
 * many bytes as a message says that it has; here a message says no more than its kind may have, its
 * parts fit into it, and what the driver keeps until the end of an answer has a limit.
 */
final class ServerMessages extends FilterInputStream {

  private static final int KIB = 1024;
  private static final int MIB = 1024 * KIB;
  private static final int HEADER_BYTES = 5;

  /** What the driver keeps for the life of a connection. */
  private static final long MAX_KEPT = 4L * MIB;

  private static final int OVERHEAD = 64;

  /** A notice becomes an exception with the stack of its thread. */
  private static final int NOTICE_OVERHEAD = 2 * KIB;

  private static final int FIELD_OVERHEAD = 24;

  /** The lengths that a message may say, which count themselves: 4 bytes. */
  private record Limit(int least, int most) {}

  /** The kinds of the protocol, version 3.0, that answer what Caravan asks. */
  private static final Map<Character, Limit> KINDS =
      Map.ofEntries(
          Map.entry('R', new Limit(8, 64 * KIB)),
          Map.entry('K', new Limit(12, 12)),
          Map.entry('S', new Limit(6, 64 * KIB)),
          Map.entry('N', new Limit(5, MIB)),
          Map.entry('E', new Limit(5, MIB)),
          Map.entry('A', new Limit(10, 64 * KIB)),
          Map.entry('Z', new Limit(5, 5)),
          Map.entry('C', new Limit(5, 4 * KIB)),
          Map.entry('T', new Limit(6, MIB)),
          Map.entry('t', new Limit(6, 256 * KIB)),
          Map.entry('D', new Limit(6, 64 * MIB)),
          Map.entry('d', new Limit(4, 64 * MIB)),
          Map.entry('G', new Limit(7, 128 * KIB)),
          Map.entry('H', new Limit(7, 128 * KIB)),
          Map.entry('c', new Limit(4, 4)),
          Map.entry('I', new Limit(4, 4)),
          Map.entry('n', new Limit(4, 4)),
          Map.entry('s', new Limit(4, 4)),
          Map.entry('1', new Limit(4, 4)),
          Map.entry('2', new Limit(4, 4)),
          Map.entry('3', new Limit(4, 4)));

  private final TenantServers.Memory memory;
  private final Runnable loggedIn;
  private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
  private boolean answerExpected;
  private boolean encrypted;
  private char kind;
  private int left;
  private RowShape row;
  private ByteBuffer body;
  private long held;
  private long kept;
  private boolean released;

  /**
   * @param memory that the tenant's servers may fill
   * @param loggedIn called when the first answer has ended, and each one after it
   */
  ServerMessages(InputStream in, TenantServers.Memory memory, Runnable loggedIn) {
    super(in);
    this.memory = memory;
    this.loggedIn = loggedIn;
  }

  /** The next byte is the answer to the question for encryption, and no message. */
  void expectAnswer() {
    answerExpected = true;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int count = in.read(buffer, offset, length);
    if (count > 0 && !encrypted) {
      look(ByteBuffer.wrap(buffer, offset, count));
    }
    return count;
  }

  @Override
  public long skip(long bytes) throws IOException {
    byte[] skipped = new byte[(int) Math.max(1, Math.min(bytes, 8 * KIB))];
    return bytes <= 0 ? 0 : Math.max(0, read(skipped, 0, (int) Math.min(bytes, skipped.length)));
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  /** The connection is over, in whatever thread: its memory is free again. */
  synchronized void release() {
    released = true;
    forget();
  }

  private synchronized void forget() {
    memory.give(held);
    held = 0;
  }

  private void look(ByteBuffer bytes) throws IOException {
    if (answerExpected) {
      takeAnswer(bytes);
    }
    while (bytes.hasRemaining() && !encrypted) {
      if (header.hasRemaining()) {
        header.put(bytes.get());
        if (!header.hasRemaining()) {
          begin();
        }
      } else {
        int now = Math.min(left, bytes.remaining());
        ByteBuffer part = bytes.slice(bytes.position(), now);
        if (row != null) {
          hold((long) FIELD_OVERHEAD * row.take(part));
        } else if (body != null) {
          body.put(part);
        }
        bytes.position(bytes.position() + now);
        left -= now;
        if (left == 0) {
          end();
        }
      }
    }
  }

  private void takeAnswer(ByteBuffer bytes) throws IOException {
    answerExpected = false;
    byte answer = bytes.get(bytes.position());
    if (answer != 'E') { // an old server's error is a message
      bytes.get();
      encrypted = answer == 'S';
    }
    if (answer != 'E' && answer != 'N' && (!encrypted || bytes.hasRemaining())) {
      throw refused("answers the question for encryption by what is no answer");
    }
  }

  private void begin() throws IOException {
    kind = (char) (header.get(0) & 0xFF);
    int length = header.getInt(1);
    Limit limit = KINDS.get(kind);
    if (limit == null) {
      throw refused("sends a message of a kind that answers nothing that was asked");
    }
    if (length < limit.least() || length > limit.most()) {
      throw refused(
          "sends a message '%s' that says it has %d bytes; allowed: %d to %d"
              .formatted(kind, length, limit.least(), limit.most()));
    }
    hold((long) length + (kind == 'N' ? NOTICE_OVERHEAD : OVERHEAD));
    if (kind == 'S' || kind == 'A') {
      kept += length;
      if (kept > MAX_KEPT) {
        throw refused("sends more settings and notifications than are kept");
      }
    }
    left = length - (HEADER_BYTES - 1);
    row = kind == 'D' ? new RowShape(left) : null;
    body =
        kind == 'D' || kind == 'd' || kind == 'N' || kind == 'E' ? null : ByteBuffer.allocate(left);
    if (left == 0) {
      end();
    }
  }

  private synchronized void hold(long bytes) throws IOException {
    if (released) {
      throw new IOException("The connection is closed.");
    }
    if (!memory.take(bytes)) {
      throw refused(
          "sends more in one answer than the %d MB that servers of one tenant may fill"
              .formatted(memory.most() / MIB));
    }
    held += bytes;
  }

  private void end() throws IOException {
    if ((row != null && !row.isWhole())
        || (body != null && !MessageShape.fits(kind, body.flip()))) {
      throw refused("sends a message '%s' whose parts do not fit into it".formatted(kind));
    }
    header.clear();
    body = null;
    row = null;
    if (kind == 'Z') {
      forget();
      loggedIn.run();
    }
  }

  private IOException refused(String what) {
    return new IOException("The server " + what + "; the connection is ended.");
  }
}
