package dev.caravan.record;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Gzip (RFC 1952) as plain bytes: all its members, however many, with a limit on how much may come
 * out. The end is reached only when the last member is whole and nothing stands behind it. The
 * JDK's {@code GZIPInputStream} asks {@code available()} whether another member follows, and passes
 * over what it does not understand there: rows would be missing.
 */
final class UnpackedGzip extends InputStream {

  private static final int BUFFER_BYTES = 1 << 16;

  private static final int DEFLATE = 8;
  private static final int HAS_HEADER_CRC = 2;
  private static final int HAS_EXTRA = 4;
  private static final int HAS_NAME = 8;
  private static final int HAS_COMMENT = 16;
  private static final int RESERVED = 0xE0;

  private final InputStream in;
  private final String name;
  private final UnpackLimit allowed;
  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private final byte[] packed = new byte[BUFFER_BYTES];
  private int position;
  private int limit;
  private long packedBytes;
  private long memberBytes;
  private long members;
  private boolean inMember;
  private boolean ended;

  /**
   * @param in at the beginning of the first member; closed with this
   * @param name of the file, for messages
   */
  UnpackedGzip(InputStream in, String name) {
    this.in = in;
    this.name = name;
    this.allowed = new UnpackLimit(name);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (!ended) {
      if (!inMember) {
        ended = !beginMember();
        continue;
      }
      int n = inflate(target, offset, length);
      if (n > 0) {
        count(target, offset, n);
        return n;
      }
      if (inflater.finished()) {
        endMember();
      } else if (inflater.needsDictionary()) {
        throw damaged("it needs a dictionary");
      } else {
        feed();
      }
    }
    return -1;
  }

  private int inflate(byte[] target, int offset, int length) {
    try {
      return inflater.inflate(target, offset, length);
    } catch (DataFormatException e) {
      throw damaged(e.getMessage() == null ? "its data is no deflate stream" : e.getMessage());
    }
  }

  private void count(byte[] target, int offset, int n) {
    crc.update(target, offset, n);
    memberBytes += n;
    allowed.count(n, packedBytes);
  }

  private void feed() throws IOException {
    if (!fill()) {
      throw cut();
    }
    inflater.setInput(packed, position, limit - position);
    position = limit;
  }

  /** Reads the header of the next member; false at the end of the file. */
  private boolean beginMember() throws IOException {
    if (!fill()) {
      return false;
    }
    crc.reset();
    if (headerByte() != 0x1F || headerByte() != 0x8B) {
      throw damaged("behind member %d stands something that is not gzip".formatted(members));
    }
    int method = headerByte();
    int flags = headerByte();
    if (method != DEFLATE || (flags & RESERVED) != 0) {
      throw damaged("the header of member %d is of no known kind".formatted(members + 1));
    }
    skipHeader(6); // time, level, system
    if ((flags & HAS_EXTRA) != 0) {
      skipHeader(headerByte() | headerByte() << 8);
    }
    if ((flags & HAS_NAME) != 0) {
      skipText();
    }
    if ((flags & HAS_COMMENT) != 0) {
      skipText();
    }
    if ((flags & HAS_HEADER_CRC) != 0) {
      int expected = (int) crc.getValue() & 0xFFFF;
      if ((next() | next() << 8) != expected) {
        throw damaged("the header of member %d is not as it was written".formatted(members + 1));
      }
    }
    crc.reset();
    memberBytes = 0;
    inMember = true;
    inflater.reset();
    inflater.setInput(packed, position, limit - position);
    position = limit;
    return true;
  }

  private void endMember() throws IOException {
    position = limit - inflater.getRemaining();
    if (nextInt() != (int) crc.getValue() || nextInt() != (int) memberBytes) {
      throw damaged("the content of member %d is not as it was written".formatted(members + 1));
    }
    members++;
    inMember = false;
  }

  private void skipHeader(int bytes) throws IOException {
    for (int i = 0; i < bytes; i++) {
      headerByte();
    }
  }

  private void skipText() throws IOException {
    while (headerByte() != 0) {
      // up to its NUL
    }
  }

  private int headerByte() throws IOException {
    int b = next();
    crc.update(b);
    return b;
  }

  /** Little endian. */
  private int nextInt() throws IOException {
    return next() | next() << 8 | next() << 16 | next() << 24;
  }

  private int next() throws IOException {
    if (!fill()) {
      throw cut();
    }
    return packed[position++] & 0xFF;
  }

  /** True when there is a packed byte at the position. */
  private boolean fill() throws IOException {
    while (position == limit) {
      int n = in.read(packed, 0, packed.length);
      if (n < 0) {
        return false;
      }
      position = 0;
      limit = n;
      packedBytes += n;
    }
    return true;
  }

  private CaravanException cut() {
    return damaged("it ends too early, in member %d".formatted(members + 1));
  }

  private CaravanException damaged(String how) {
    return new CaravanException(
        FailureCode.ARCHIVE, "%s is a damaged gzip file: %s.".formatted(name, how));
  }

  @Override
  public void close() throws IOException {
    inflater.end();
    in.close();
  }
}
