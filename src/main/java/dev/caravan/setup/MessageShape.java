package dev.caravan.setup;

import java.nio.ByteBuffer;

/**
 * Whether the parts of a message fill it and no more. The driver reads counts and texts without a
 * look at the message's length: with parts that go on behind it, it would take values for headers.
 */
final class MessageShape {

  /** Ways to log in that are used: none, password, MD5, and the three steps of SCRAM. */
  private static final int OK = 0;

  private static final int CLEARTEXT = 3;
  private static final int MD5 = 5;
  private static final int SASL = 10;
  private static final int SASL_CONTINUE = 11;
  private static final int SASL_FINAL = 12;

  private static final int FIELD_BYTES = 18;

  private MessageShape() {}

  /**
   * @param body without kind and length
   */
  static boolean fits(char kind, ByteBuffer body) {
    return switch (kind) {
      case 'R' -> isLogin(body);
      case 'S' -> skipTexts(body, 2) && !body.hasRemaining();
      case 'A' -> skip(body, Integer.BYTES) && skipTexts(body, 2) && !body.hasRemaining();
      case 'C' -> skipTexts(body, 1) && !body.hasRemaining();
      case 'T' -> isFields(body);
      case 't' -> isCounted(body, Integer.BYTES);
      case 'G', 'H' -> skip(body, 1) && isCounted(body, Short.BYTES);
      default -> true; // of one length
    };
  }

  private static boolean isLogin(ByteBuffer body) {
    int way = body.getInt();
    return switch (way) {
      case OK, CLEARTEXT -> !body.hasRemaining();
      case MD5 -> body.remaining() == Integer.BYTES;
      case SASL -> isList(body);
      case SASL_CONTINUE, SASL_FINAL -> true;
      default -> false;
    };
  }

  /** Texts, and an empty one at the end. */
  private static boolean isList(ByteBuffer body) {
    while (body.hasRemaining()) {
      int start = body.position();
      if (!skipTexts(body, 1)) {
        return false;
      }
      if (body.position() == start + 1) {
        return !body.hasRemaining();
      }
    }
    return false;
  }

  private static boolean isFields(ByteBuffer body) {
    int count = body.getShort() & 0xFFFF;
    for (int i = 0; i < count; i++) {
      if (!skipTexts(body, 1) || !skip(body, FIELD_BYTES)) {
        return false;
      }
    }
    return !body.hasRemaining();
  }

  private static boolean isCounted(ByteBuffer body, int bytes) {
    return body.remaining() >= Short.BYTES
        && (body.getShort() & 0xFFFF) * bytes == body.remaining();
  }

  private static boolean skip(ByteBuffer body, int bytes) {
    if (body.remaining() < bytes) {
      return false;
    }
    body.position(body.position() + bytes);
    return true;
  }

  private static boolean skipTexts(ByteBuffer body, int texts) {
    int found = 0;
    while (found < texts && body.hasRemaining()) {
      if (body.get() == 0) {
        found++;
      }
    }
    return found == texts;
  }
}
