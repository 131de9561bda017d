package dev.caravan.record.csv;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Text in any encoding, read as UTF-8. What cannot be decoded becomes the byte FF, which UTF-8
 * never has: the scanner refuses that record and the load goes on with the next.
 */
final class Utf8InputStream extends InputStream {

  /** Stands for input that could not be decoded. */
  static final byte UNDECODABLE = (byte) 0xFF;

  private static final int SIZE = 1 << 16;

  private final InputStream in;
  private final CharsetDecoder decoder;
  private final CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
  private final ByteBuffer encoded = ByteBuffer.allocate(SIZE).limit(0);
  private final CharBuffer chars = CharBuffer.allocate(SIZE);
  private final ByteBuffer utf8 = ByteBuffer.allocate(SIZE * 3 + 8).limit(0);
  private boolean sourceEnded;
  private boolean ended;

  Utf8InputStream(InputStream in, Charset charset) {
    this.in = in;
    this.decoder =
        charset
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    while (!utf8.hasRemaining()) {
      if (ended) {
        return -1;
      }
      convert();
    }
    int n = Math.min(length, utf8.remaining());
    utf8.get(target, offset, n);
    return n;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  private void convert() throws IOException {
    fillSource();
    utf8.clear();
    chars.clear();
    CoderResult result = decoder.decode(encoded, chars, sourceEnded);
    boolean done = sourceEnded && result.isUnderflow() && decoder.flush(chars).isUnderflow();
    chars.flip();
    while (encoder.encode(chars, utf8, true).isError()) { // half a surrogate pair: no UTF-8 for it
      chars.get();
      utf8.put(UNDECODABLE);
    }
    encoder.reset();
    if (result.isError()) {
      encoded.position(encoded.position() + result.length());
      utf8.put(UNDECODABLE);
    }
    utf8.flip();
    ended = done;
  }

  private void fillSource() throws IOException {
    if (sourceEnded) {
      return;
    }
    encoded.compact();
    int n = in.read(encoded.array(), encoded.position(), encoded.remaining());
    if (n < 0) {
      sourceEnded = true;
    } else {
      encoded.position(encoded.position() + n);
    }
    encoded.flip();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
