package dev.caravan.setup;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Compares what the fields of a row say about their lengths with what the row has, as it comes. */
final class RowShape {

  private final ByteBuffer number = ByteBuffer.allocate(Integer.BYTES);
  private int left;
  private int fields = -1;
  private int skip;

  /**
   * @param bytes of the row, without kind and length
   */
  RowShape(int bytes) {
    left = bytes;
    number.limit(Short.BYTES);
  }

  /**
   * Takes the next part of the row.
   *
   * @return the number of fields when it is known by now and was not before, else 0
   * @throws IOException when a field would go beyond the row
   */
  int take(ByteBuffer part) throws IOException {
    int found = 0;
    while (part.hasRemaining()) {
      if (skip > 0) {
        int now = Math.min(skip, part.remaining());
        part.position(part.position() + now);
        skip -= now;
        left -= now;
      } else {
        number.put(part.get());
        left--;
        if (!number.hasRemaining()) {
          found += fields < 0 ? count() : length();
        }
      }
    }
    return found;
  }

  private int count() throws IOException {
    fields = number.getShort(0) & 0xFFFF;
    number.clear();
    if (Integer.BYTES * (long) fields > left) {
      throw beyond();
    }
    return fields;
  }

  private int length() throws IOException {
    int length = number.getInt(0);
    number.clear();
    fields--;
    if (fields < 0 || length < -1 || length > left) {
      throw beyond();
    }
    skip = Math.max(0, length);
    return 0;
  }

  /** True when the row ended with its last field. */
  boolean isWhole() {
    return fields == 0 && skip == 0 && left == 0 && number.position() == 0;
  }

  private static IOException beyond() {
    return new IOException(
        "The server sends a row whose fields go beyond it; the connection is ended.");
  }
}
