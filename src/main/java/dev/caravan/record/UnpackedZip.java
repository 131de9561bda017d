package dev.caravan.record;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;

/**
 * A zip archive of one file as that file's plain bytes, in one pass. Folders, and what a Mac adds
 * to an archive, are no files. The end is reached only when the archive is whole, has no other file
 * and its directory lists what was read; until then nothing may be committed.
 */
final class UnpackedZip extends InputStream {

  /** Folders and the like beside the one file; more is no export (RELIABILITY B86). */
  private static final int MAX_ENTRIES = 1_000;

  private static final Pattern LEAVES_THE_FOLDER =
      Pattern.compile("[/\\\\].*|[A-Za-z]:.*|(?:.*[/\\\\])?\\.\\.(?:[/\\\\].*)?", Pattern.DOTALL);

  private final Tail packed;
  private final ZipInputStream zip;
  private final UnpackLimit limit;
  private final String name;
  private String file;
  private int entries;
  private boolean ended;

  /**
   * @param in at the beginning of the archive; closed with this
   * @param name of the archive, for messages
   */
  UnpackedZip(InputStream in, String name) {
    this.packed = new Tail(in);
    // Names are only compared and shown; Latin-1 can read whatever encoding they are in.
    this.zip = new ZipInputStream(packed, StandardCharsets.ISO_8859_1);
    this.limit = new UnpackLimit(name);
    this.name = name;
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
    try {
      if (file == null && !ended) {
        nextFile();
      }
      int n = ended ? -1 : unpack(target, offset, length);
      if (n < 0 && !ended) {
        nextFile();
      }
      return n;
    } catch (ZipException | IllegalArgumentException e) {
      throw damaged(e.getMessage());
    } catch (EOFException e) {
      throw damaged("it ends too early");
    }
  }

  private int unpack(byte[] target, int offset, int length) throws IOException {
    int n = zip.read(target, offset, length);
    limit.count(n, packed.count);
    return n;
  }

  /** Stands at the beginning of the file, or finds that there is no other. */
  private void nextFile() throws IOException {
    byte[] passedOver = new byte[8_192];
    ZipEntry entry = zip.getNextEntry();
    while (entry != null) {
      if (++entries > MAX_ENTRIES) {
        throw archive("has more than %d entries".formatted(MAX_ENTRIES));
      }
      String found = ShownName.of(entry.getName());
      if (LEAVES_THE_FOLDER.matcher(entry.getName()).matches()) {
        throw archive("has an entry %s, whose name leads out of its folder".formatted(found));
      }
      if (!entry.isDirectory() && !entry.getName().startsWith("__MACOSX/")) {
        if (file != null) {
          throw archive(
              "has several files, such as %s and %s; an archive of one is read"
                  .formatted(file, found));
        }
        file = found;
        return;
      }
      while (unpack(passedOver, 0, passedOver.length) >= 0) {
        // its bytes count, too
      }
      entry = zip.getNextEntry();
    }
    ended = true;
    if (packed.listedEntries() != entries) {
      throw damaged("it ends too early, or its directory does not list what it has");
    }
    if (file == null) {
      throw archive("has no file");
    }
  }

  private CaravanException archive(String what) {
    return new CaravanException(
        FailureCode.ARCHIVE, "The zip archive %s %s.".formatted(name, what));
  }

  private CaravanException damaged(String how) {
    return new CaravanException(
        FailureCode.ARCHIVE, "%s is a zip archive that cannot be read: %s.".formatted(name, how));
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }

  /** Counts the bytes and keeps the last of them: there is the end of the directory. */
  private static final class Tail extends FilterInputStream {

    private static final int END_BYTES = 22;
    private static final byte[] END = {'P', 'K', 5, 6};

    private final byte[] last = new byte[END_BYTES + 0xFFFF]; // a comment may stand behind
    private long count;

    Tail(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int n = in.read(target, offset, length);
      for (int done = 0; done < n; ) {
        int at = (int) (count % last.length);
        int part = Math.min(n - done, last.length - at);
        System.arraycopy(target, offset + done, last, at, part);
        done += part;
        count += part;
      }
      return n;
    }

    @Override
    public boolean markSupported() {
      return false;
    }

    /** Reads on to the end of the archive; -1 when its directory has none. */
    int listedEntries() throws IOException {
      byte[] rest = new byte[8_192];
      while (read(rest, 0, rest.length) >= 0) {
        // the directory
      }
      int size = (int) Math.min(count, last.length);
      byte[] tail = new byte[size];
      for (int i = 0; i < size; i++) {
        tail[i] = last[(int) ((count - size + i) % last.length)];
      }
      for (int at = size - END_BYTES; at >= 0; at--) {
        boolean found = Arrays.equals(tail, at, at + END.length, END, 0, END.length);
        if (found && at + END_BYTES + number(tail, at + 20) == size) {
          return number(tail, at + 10);
        }
      }
      return -1;
    }

    private static int number(byte[] bytes, int at) {
      return (bytes[at] & 0xFF) | (bytes[at + 1] & 0xFF) << 8;
    }
  }
}
