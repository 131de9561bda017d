package dev.caravan.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The text of an API key: {@code cvn_}, a prefix that finds it, 256 random bits. */
public final class ApiKey {

  private static final Pattern SHAPE = Pattern.compile("cvn_([a-z2-7]{12})_[A-Za-z0-9_-]{43}");
  private static final String PREFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
  private static final int PREFIX_LENGTH = 12;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String text;
  private final String prefix;

  private ApiKey(String text, String prefix) {
    this.text = text;
    this.prefix = prefix;
  }

  /** A new one. */
  public static ApiKey create() {
    StringBuilder prefix = new StringBuilder();
    RANDOM
        .ints(PREFIX_LENGTH, 0, PREFIX_LETTERS.length())
        .forEach(i -> prefix.append(PREFIX_LETTERS.charAt(i)));
    byte[] secret = new byte[32];
    RANDOM.nextBytes(secret);
    String encoded = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    return new ApiKey("cvn_" + prefix + "_" + encoded, prefix.toString());
  }

  /** What somebody sent; empty when it does not look like a key. */
  public static Optional<ApiKey> parse(String text) {
    Matcher matcher = SHAPE.matcher(text);
    return matcher.matches() ? Optional.of(new ApiKey(text, matcher.group(1))) : Optional.empty();
  }

  /** The key itself: to be shown once, and nowhere stored. */
  public String secret() {
    return text;
  }

  /** What finds the key; not secret. */
  public String prefix() {
    return prefix;
  }

  /** What is stored, as hexadecimal digits. 256 random bits need no salt and no slow hash. */
  public String sha256() {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(text.getBytes(StandardCharsets.US_ASCII)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "ApiKey[cvn_" + prefix + "_***]";
  }
}
