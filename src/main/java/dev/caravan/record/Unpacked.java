package dev.caravan.record;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Files as their plain bytes, whether they came packed or not. */
public final class Unpacked {

  private static final int BUFFER_BYTES = 1 << 16;

  /** Of a zip entry: 26 bytes, the length of its name, that of what follows it, and the name. */
  private static final int ENTRY_BYTES = 30;

  private static final int LOOKED_AT = 256;

  /** How the first entry is called where the archive is a document and no packed file. */
  private static final Pattern DOCUMENT =
      Pattern.compile("\\[Content_Types]\\.xml|mimetype|(?:_rels|docProps|xl|word|ppt)/.*");

  private Unpacked() {}

  /**
   * Looks at the first bytes, whatever the name says: gzip and zip archives are unpacked, all else
   * is as it is, office documents too. Reading throws CaravanException ARCHIVE when the packed file
   * is damaged, cut off, followed by something else, or a zip archive of none or several files, and
   * DECOMPRESS_LIMIT when it unpacks to too much. What was read counts only when the end is
   * reached.
   *
   * @param in closed with what is returned
   * @param name of the file, for messages
   */
  public static InputStream open(InputStream in, String name) throws IOException {
    BufferedInputStream bytes = new BufferedInputStream(in, BUFFER_BYTES);
    if (startsWith(bytes, "\u001F\u008B")) {
      return new UnpackedGzip(bytes, name);
    }
    return startsWith(bytes, "PK\u0003\u0004") && !isDocument(bytes)
        ? new UnpackedZip(bytes, name)
        : bytes;
  }

  private static boolean startsWith(BufferedInputStream bytes, String signature)
      throws IOException {
    return head(bytes, signature.length()).equals(signature);
  }

  private static boolean isDocument(BufferedInputStream bytes) throws IOException {
    String head = head(bytes, LOOKED_AT);
    if (head.length() < ENTRY_BYTES) {
      return false;
    }
    int length = head.charAt(26) | head.charAt(27) << 8;
    int end = Math.min(head.length(), ENTRY_BYTES + length);
    return DOCUMENT.matcher(head.substring(ENTRY_BYTES, end)).matches();
  }

  /** The first bytes, one char each; they are still to be read. */
  private static String head(BufferedInputStream bytes, int length) throws IOException {
    bytes.mark(length);
    String head = new String(bytes.readNBytes(length), StandardCharsets.ISO_8859_1);
    bytes.reset();
    return head;
  }
}
