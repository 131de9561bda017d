package dev.caravan.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A CSV file made while it is read: the same bytes for the same shape on every machine. */
final class GeneratedCsv extends InputStream {

  private static final long SEED = 20_261_124;
  private static final int VALUES = 4_096;
  private static final int CHUNK_BYTES = 1 << 16;

  private static final List<String> WORDS =
      List.of("München", "Größe", "Straße 12", "Äpfel", "Öl", "über", "Lieferung", "Auftrag");

  private final Shape shape;
  private final boolean changed;
  private final byte[][][] values; // by column
  private final Chunk chunk = new Chunk();
  private long row;
  private int at;

  /** Filled and read again and again. */
  private static final class Chunk extends ByteArrayOutputStream {
    int copyTo(byte[] target, int offset, int length, int from) {
      int n = Math.min(length, count - from);
      System.arraycopy(buf, from, target, offset, n);
      return n;
    }
  }

  /**
   * @param changed gives every tenth row another value in one column
   */
  GeneratedCsv(Shape shape, boolean changed) throws IOException {
    this.shape = shape;
    this.changed = changed;
    Map<String, byte[][]> byType = new HashMap<>();
    values =
        shape.types().stream()
            .map(type -> byType.computeIfAbsent(type, this::values))
            .toArray(byte[][][]::new);
    chunk.write(
        String.join(String.valueOf(shape.delimiter()), shape.columnNames())
            .getBytes(StandardCharsets.US_ASCII));
    chunk.write('\n');
  }

  private byte[][] values(String type) {
    SplittableRandom random = new SplittableRandom(SEED);
    byte[][] all = new byte[VALUES][];
    for (int i = 0; i < VALUES; i++) {
      String value = type.equals("text") ? text(random, i) : typed(type, random, i);
      all[i] = value.getBytes(shape.charset());
    }
    return all;
  }

  private static String typed(String type, SplittableRandom random, int i) {
    if (i % 16 == 0) {
      return "";
    }
    return switch (type) {
      case "bigint" -> String.valueOf(random.nextLong());
      case "date" -> "20%02d-%02d-%02d".formatted(i % 27, 1 + i % 12, 1 + i % 28);
      case "timestamptz" ->
          "20%02d-%02d-%02d %02d:%02d:%02d+02"
              .formatted(i % 27, 1 + i % 12, 1 + i % 28, i % 24, i % 60, i * 7 % 60);
      case "numeric(12,2)" -> random.nextInt(1_000_000_000) + "." + (10 + random.nextInt(90));
      case "boolean" -> random.nextBoolean() ? "true" : "false";
      default -> throw new IllegalArgumentException(type);
    };
  }

  /** Words with umlauts, numbers, dates, some empty fields and some that need quotes. */
  private String text(SplittableRandom random, int i) {
    String word = WORDS.get(random.nextInt(WORDS.size()));
    return switch (i % 16) {
      case 0 -> "";
      case 1, 2, 3, 4 -> String.valueOf(random.nextLong(1_000_000_000_000_000L));
      case 5, 6, 7 -> "20%02d-%02d-%02d".formatted(i % 27, 1 + i % 12, 1 + i % 28);
      case 8, 9 -> random.nextInt(1_000_000) + "," + (10 + random.nextInt(90));
      case 10 ->
          i % 48 == 10
              ? "\"" + word + shape.delimiter() + " \"\"" + random.nextInt(99) + "\"\"\""
              : word;
      default -> word + " " + random.nextInt(1_000_000_000);
    };
  }

  /** The file in the folder, written unless it is there already. */
  static Path file(Path folder, Shape shape, boolean changed) throws IOException {
    Path file = folder.resolve(shape.name() + (changed ? "-changed" : "") + ".csv");
    if (Files.notExists(file)) {
      Files.createDirectories(folder);
      Path partial = folder.resolve(file.getFileName() + ".partial");
      try (InputStream in = new GeneratedCsv(shape, changed);
          OutputStream out = Files.newOutputStream(partial)) {
        in.transferTo(out);
      }
      Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return file;
  }

  @Override
  public int read(byte[] target, int offset, int length) {
    if (at == chunk.size()) {
      if (row == shape.rows()) {
        return -1;
      }
      chunk.reset();
      at = 0;
      while (chunk.size() < CHUNK_BYTES && row < shape.rows()) {
        writeRow();
      }
    }
    int n = chunk.copyTo(target, offset, length, at);
    at += n;
    return n;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  private void writeRow() {
    writeKey();
    boolean rowChanged = changed && row % 10 == 3;
    for (int column = 1; column < shape.columns(); column++) {
      int value = mixed(row * shape.columns() + column);
      if (rowChanged && column == 3) {
        value = (value + 1) % VALUES;
      }
      chunk.write(shape.delimiter());
      chunk.write(values[column][value], 0, values[column][value].length);
    }
    chunk.write('\n');
    row++;
  }

  /** The row's number, or K and ten digits of it. */
  private void writeKey() {
    if (shape.isTyped()) {
      byte[] number = String.valueOf(row).getBytes(StandardCharsets.US_ASCII);
      chunk.write(number, 0, number.length);
      return;
    }
    chunk.write('K');
    for (long unit = 1_000_000_000; unit > 0; unit /= 10) {
      chunk.write((int) ('0' + row / unit % 10));
    }
  }

  private static int mixed(long x) {
    long z = (x + SEED) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 29)) * 0xBF58476D1CE4E5B9L;
    return (int) ((z >>> 40) & (VALUES - 1));
  }
}
