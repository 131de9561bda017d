package dev.caravan.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Zip archives of one file; every other kind is refused before the end of the bytes is told. */
class UnpackedZipTest {

  private static final byte[] CONTENT = lines();

  private static byte[] lines() {
    Random random = new Random(7);
    StringBuilder text = new StringBuilder("id,name\n");
    for (int i = 0; i < 2_000; i++) {
      text.append(i).append(',').append(random.nextLong()).append('\n');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] zip(String comment, String... entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      out.setComment(comment);
      for (String name : entries) {
        out.putNextEntry(new ZipEntry(name));
        if (!name.endsWith("/")) {
          out.write(CONTENT);
        }
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] unpack(byte[] packed) throws IOException {
    try (InputStream in = Unpacked.open(new ByteArrayInputStream(packed), "x.zip")) {
      return in.readAllBytes();
    }
  }

  private static void isRefused(byte[] packed, FailureCode code, String why) {
    assertThatThrownBy(() -> unpack(packed))
        .isInstanceOfSatisfying(CaravanException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining("x.zip")
        .hasMessageContaining(why);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x.csv",
        "export/;export/2026/;export/2026/x.csv",
        "x.csv;__MACOSX/._x.csv",
        "__MACOSX/._x.csv;x.csv",
        "Größe.csv",
        "a..b.csv",
        "xlsx.csv"
      })
  void readsTheOneFile(String entries) throws IOException {
    assertThat(unpack(zip(null, entries.split(";")))).isEqualTo(CONTENT);
    assertThat(unpack(zip("made by a program", entries.split(";")))).isEqualTo(CONTENT);
  }

  @Test
  void readsAFileThatIsStoredAsItIs() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      ZipEntry entry = new ZipEntry("x.csv");
      entry.setMethod(ZipEntry.STORED);
      entry.setSize(CONTENT.length);
      CRC32 crc = new CRC32();
      crc.update(CONTENT);
      entry.setCrc(crc.getValue());
      out.putNextEntry(entry);
      out.write(CONTENT);
    }
    assertThat(unpack(bytes.toByteArray())).isEqualTo(CONTENT);
  }

  @ParameterizedTest
  @CsvSource({
    "a.csv;b.csv, 'several files, such as a.csv and b.csv'",
    "a.csv;readme.txt, 'several files, such as a.csv and readme.txt'",
    "export/, has no file",
    "../x.csv, leads out",
    "a/../../x.csv, leads out",
    "/etc/x, leads out",
    "C:x.csv, leads out",
    "..\\x.csv, leads out",
    "x.csv;../y.csv, leads out",
  })
  void refusesOtherArchivesByWhatIsInThem(String entries, String why) throws IOException {
    isRefused(zip(null, entries.split(";")), FailureCode.ARCHIVE, why);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"[Content_Types].xml;xl/a.xml", "xl/workbook.xml", "mimetype;content.xml"})
  void leavesDocumentsAsTheyAre(String entries) throws IOException {
    byte[] document = zip(null, entries.split(";"));
    assertThat(unpack(document)).isEqualTo(document);
  }

  /** Also where all bytes of the file are there, and only the directory is cut or gone. */
  @Test
  void isWholeOrRefused() throws IOException {
    byte[] packed = zip(null, "x.csv");
    for (int length = 4; length < packed.length; length += length < packed.length - 150 ? 97 : 1) {
      isRefused(Arrays.copyOf(packed, length), FailureCode.ARCHIVE, "cannot be read");
    }
    isRefused(Arrays.copyOf(packed, packed.length + 1), FailureCode.ARCHIVE, "cannot be read");
    byte[] other = packed.clone();
    other[packed.length / 2] ^= 4;
    isRefused(other, FailureCode.ARCHIVE, "cannot be read");
    other = packed.clone();
    other[6] |= 1;
    isRefused(other, FailureCode.ARCHIVE, "encrypted");
  }

  @Test
  void aBombIsStopped() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      out.putNextEntry(new ZipEntry("__MACOSX/x"));
      out.write(new byte[40 << 20]);
      out.putNextEntry(new ZipEntry("x.csv"));
      out.write(CONTENT);
    }
    isRefused(bytes.toByteArray(), FailureCode.DECOMPRESS_LIMIT, "100 times");
  }
}
