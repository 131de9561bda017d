package dev.caravan.source.sftp;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Gzip as plain bytes, with a limit on how much may come out; other archives are refused. */
public final class Unpacked extends FilterInputStream {

  /** CSV packs 5:1 to 20:1; more than 100:1 is not an export (RELIABILITY B85). */
  static final int MAX_RATIO = 100;

  /** Small files of one repeated line may pack better; below this nothing is judged. */
  private static final long ALWAYS_ALLOWED = 16 << 20;

  private static final int BUFFER_BYTES = 1 << 16;

  private final Counted packed;
  private final String name;
  private long unpacked;

  private Unpacked(Counted packed, String name) throws IOException {
    super(new GZIPInputStream(packed, BUFFER_BYTES));
    this.packed = packed;
    this.name = name;
  }

  /**
   * Looks at the first bytes, whatever the name says.
   *
   * @throws CaravanException ARCHIVE when it is a zip archive or damaged
   */
  public static InputStream open(InputStream in, String name) throws IOException {
    BufferedInputStream bytes = new BufferedInputStream(in, BUFFER_BYTES);
    bytes.mark(2);
    int first = bytes.read();
    int second = bytes.read();
    bytes.reset();
    if (first == 'P' && second == 'K') {
      throw new CaravanException(
          FailureCode.ARCHIVE, name + " is a zip archive; read are plain files and gzip.");
    }
    if (first != 0x1F || second != 0x8B) {
      return bytes;
    }
    try {
      return new Unpacked(new Counted(bytes), name);
    } catch (ZipException e) {
      throw damaged(name, e);
    }
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int n;
    try {
      n = in.read(target, offset, length);
    } catch (ZipException | EOFException e) {
      throw damaged(name, e);
    }
    if (n < 0) {
      packed.readAll();
      return n;
    }
    unpacked += n;
    if (unpacked > ALWAYS_ALLOWED && unpacked > packed.bytes * MAX_RATIO) {
      throw new CaravanException(
          FailureCode.DECOMPRESS_LIMIT,
          "%s unpacks to more than %d times its size (%d bytes from %d so far)."
              .formatted(name, MAX_RATIO, unpacked, packed.bytes));
    }
    return n;
  }

  private static CaravanException damaged(String name, IOException e) {
    return new CaravanException(
        FailureCode.ARCHIVE,
        "%s is a damaged gzip file: %s."
            .formatted(name, e instanceof EOFException ? "it ends too early" : e.getMessage()),
        e);
  }

  private static final class Counted extends FilterInputStream {
    private long bytes;

    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int n = in.read(target, offset, length);
      bytes += Math.max(n, 0);
      return n;
    }

    @Override
    public int read() throws IOException {
      int b = in.read();
      bytes += b < 0 ? 0 : 1;
      return b;
    }

    /** To its end, where the file is verified. */
    void readAll() throws IOException {
      in.transferTo(java.io.OutputStream.nullOutputStream());
    }
  }
}
