package dev.caravan.record;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;

/** How much may come out of a packed file. */
final class UnpackLimit {

  /** CSV packs 5:1 to 20:1; more than 100:1 is not an export (RELIABILITY B85). */
  static final int MAX_RATIO = 100;

  /** Small files of one repeated line may pack better; below this nothing is judged. */
  private static final long ALWAYS_ALLOWED_BYTES = 16 << 20;

  private final String name;
  private long unpackedBytes;

  /**
   * @param name of the file, for messages
   */
  UnpackLimit(String name) {
    this.name = name;
  }

  /**
   * More has come out.
   *
   * @param packedBytes that were read for all that came out so far
   * @throws CaravanException DECOMPRESS_LIMIT
   */
  void count(int bytes, long packedBytes) {
    unpackedBytes += Math.max(bytes, 0);
    if (unpackedBytes > ALWAYS_ALLOWED_BYTES && unpackedBytes > packedBytes * MAX_RATIO) {
      throw new CaravanException(
          FailureCode.DECOMPRESS_LIMIT,
          "%s unpacks to more than %d times its size (%d bytes from %d so far)."
              .formatted(name, MAX_RATIO, unpackedBytes, packedBytes));
    }
  }
}
