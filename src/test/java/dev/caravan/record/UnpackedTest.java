package dev.caravan.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gzip of any number of members, in pieces of any size, from a stream that never tells ahead. */
class UnpackedTest {

  /** As sockets do: some bytes at a time, and none that are known to be there. */
  private static final class Pieces extends FilterInputStream {
    private final int atMost;

    Pieces(byte[] content, int atMost) {
      super(new ByteArrayInputStream(content));
      this.atMost = atMost;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      return super.read(target, offset, Math.min(length, atMost));
    }

    @Override
    public int available() {
      return 0;
    }
  }

  private static byte[] unpack(byte[] packed, int atMost) throws IOException {
    try (InputStream in = Unpacked.open(new Pieces(packed, atMost), "x.csv.gz")) {
      return in.readAllBytes();
    }
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write(content);
    }
    return bytes.toByteArray();
  }

  private static byte[] lines(Random random, int bytes) {
    byte[] content = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      content[i] = (byte) (random.nextInt(12) == 0 ? '\n' : 'a' + random.nextInt(26));
    }
    return content;
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    Arrays.stream(parts).forEach(all::writeBytes);
    return all.toByteArray();
  }

  private static void isDamaged(byte[] packed, String part) {
    for (int atMost : new int[] {1, 7, 1 << 16}) {
      assertThatThrownBy(() -> unpack(packed, atMost))
          .isInstanceOfSatisfying(
              CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.ARCHIVE))
          .hasMessageContaining("x.csv.gz is a damaged gzip file")
          .hasMessageContaining(part);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void everyMemberIsReadWhateverTheSizesOfMembersAndPieces(long seed) throws IOException {
    Random random = new Random(seed);
    for (int i = 0; i < 60; i++) {
      int members = 1 + random.nextInt(5);
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      for (int m = 0; m < members; m++) {
        byte[] part = lines(random, random.nextInt(4) == 0 ? 0 : random.nextInt(90_000));
        content.writeBytes(part);
        packed.writeBytes(gzip(part));
      }
      int atMost = new int[] {1 + random.nextInt(30), 512, 4_096, 1 << 16, 1 << 20}[i % 5];
      assertThat(unpack(packed.toByteArray(), atMost))
          .as("seed %d, %d members, pieces of %d", seed, members, atMost)
          .isEqualTo(content.toByteArray());
    }
  }

  /** Members may end exactly where a piece, or our buffer, ends. */
  @Test
  void aMemberMayEndWhereAPieceEnds() throws IOException {
    Random random = new Random(5);
    byte[] first =
        random
            .ints(40_000, ' ', 127)
            .collect(ByteArrayOutputStream::new, (b, c) -> b.write(c), (a, b) -> {})
            .toByteArray();
    byte[] packed = gzip(first);
    byte[] second = lines(random, 500);
    byte[] both = join(packed, gzip(second));
    for (int atMost :
        new int[] {packed.length - 8, packed.length - 1, packed.length, both.length}) {
      assertThat(unpack(both, atMost)).isEqualTo(join(first, second));
    }
    // a member that is exactly as long as our buffer: its header is stretched by a comment
    byte[] stretched = withHeader(first, 16, new byte[65_536 - packed.length], true);
    assertThat(stretched).hasSize(65_537);
    byte[] exact = withHeader(first, 16, new byte[65_536 - packed.length - 1], true);
    assertThat(exact).hasSize(65_536);
    assertThat(unpack(join(exact, gzip(second)), 1 << 16)).isEqualTo(join(first, second));
  }

  /** A member with an optional part in its header: 4 extra, 8 name, 16 comment. */
  private static byte[] withHeader(byte[] content, int flag, byte[] part, boolean text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {0x1F, (byte) 0x8B, 8, (byte) (flag | 2), 0, 0, 0, 0, 0, 3});
    if (text) {
      Arrays.fill(part, (byte) 'c');
      out.writeBytes(Arrays.copyOf(part, Math.max(0, part.length - 2)));
      out.write(0);
    } else {
      out.writeBytes(new byte[] {(byte) part.length, (byte) (part.length >> 8)});
      out.writeBytes(part);
    }
    CRC32 crc = new CRC32();
    crc.update(out.toByteArray());
    out.writeBytes(little((int) crc.getValue(), 2));
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    deflater.setInput(content);
    deflater.finish();
    byte[] packed = new byte[content.length + 1_000];
    out.write(packed, 0, deflater.deflate(packed));
    deflater.end();
    crc.reset();
    crc.update(content);
    out.writeBytes(little((int) crc.getValue(), 4));
    out.writeBytes(little(content.length, 4));
    return out.toByteArray();
  }

  private static byte[] little(int value, int bytes) {
    byte[] out = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      out[i] = (byte) (value >> (8 * i));
    }
    return out;
  }

  /** bgzip writes its block size into the header of each member, gzip a name. */
  @Test
  void readsTheHeadersOfOtherPrograms() throws IOException {
    byte[] one = "id\n1\n".getBytes(StandardCharsets.US_ASCII);
    byte[] two = "2\n".getBytes(StandardCharsets.US_ASCII);
    byte[] bgzip = {'B', 'C', 2, 0, 40, 0};
    byte[] all =
        join(
            withHeader(one, 4, bgzip, false),
            withHeader(two, 8, new byte[9], true),
            withHeader(new byte[0], 4, bgzip, false));
    assertThat(unpack(all, 3)).isEqualTo(join(one, two));
    all[11] ^= 1; // in the extra part, which its header's checksum covers
    assertThatThrownBy(() -> unpack(all, 3)).isInstanceOf(CaravanException.class);
  }

  @Test
  void everyCutAndEveryByteBehindTheLastMemberFails() throws IOException {
    byte[] first = gzip("id,name\n1,one\n".getBytes(StandardCharsets.US_ASCII));
    byte[] both = join(first, gzip("2,two\n3,three\n".getBytes(StandardCharsets.US_ASCII)));
    for (int length = 2; length < both.length; length++) {
      if (length != first.length) { // a whole member is a whole file
        isDamaged(Arrays.copyOf(both, length), length < first.length ? "member 1" : "member 2");
      }
    }
    isDamaged(join(both, new byte[] {0}), "behind member 2");
    isDamaged(join(both, "x".getBytes(StandardCharsets.US_ASCII)), "behind member 2");
    isDamaged(join(both, new byte[] {0x1F}), "member 3");
  }

  @Test
  void aChangedBitOfContentOrTrailerFailsUnlessItMeansNothing() throws IOException {
    byte[] both = join(gzip(new byte[] {'a', '\n'}), gzip(lines(new Random(9), 300)));
    byte[] content = unpack(both, 100);
    int refused = 0;
    for (int bit = (both.length - 150) * 8; bit < both.length * 8; bit++) {
      byte[] changed = both.clone();
      changed[bit / 8] ^= (byte) (1 << (bit % 8));
      try {
        assertThat(unpack(changed, 100)).isEqualTo(content); // the bits behind the last code
      } catch (CaravanException e) {
        assertThat(e.code()).isEqualTo(FailureCode.ARCHIVE);
        refused++;
      }
    }
    assertThat(refused).isGreaterThanOrEqualTo(150 * 8 - 7);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\u001F", "PK,name\n1,a\n", "id\n1\n"})
  void whatIsNoGzipStaysAsItIs(String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    assertThat(unpack(bytes, 1)).isEqualTo(bytes);
  }

  @Test
  void aBombIsStoppedAlsoWhenItIsSpreadOverMembers() throws IOException {
    byte[] member = gzip(new byte[1 << 20]);
    byte[][] members = new byte[40][];
    Arrays.fill(members, member);
    assertThatThrownBy(() -> unpack(join(members), 1 << 16))
        .isInstanceOfSatisfying(
            CaravanException.class,
            e -> assertThat(e.code()).isEqualTo(FailureCode.DECOMPRESS_LIMIT));
  }
}
