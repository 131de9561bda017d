package dev.caravan.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/** Turns a credential into its caller. */
public final class Authenticator {

  /** A revoked key is refused on every node after this time. */
  public static final Duration REVOKED_WITHIN = Duration.ofSeconds(2);

  private static final String NOBODY = "-".repeat(64);

  private static final Duration REMEMBERED = Duration.ofHours(1);
  private static final Duration REFUSED = Duration.ofSeconds(10);

  private final KeyLookup keys;
  private final Optional<JwtBearer> tokens;
  private final Cache<String, Caller> verified =
      Caffeine.newBuilder().expireAfterWrite(REVOKED_WITHIN).maximumSize(10_000).build();

  /** Keys are random: one that is wrong now is not right a moment later. */
  private final Cache<String, Boolean> refused =
      Caffeine.newBuilder().expireAfterWrite(REFUSED).maximumSize(10_000).build();

  private final Cache<String, Caller> lastKnown =
      Caffeine.newBuilder().expireAfterWrite(REMEMBERED).maximumSize(1_000).build();

  /**
   * Knows keys, and tokens if an issuer is trusted.
   *
   * @param tokens empty when only keys are taken
   */
  public Authenticator(KeyLookup keys, Optional<JwtBearer> tokens) {
    this.keys = keys;
    this.tokens = tokens;
  }

  /**
   * The caller of a key or a token; empty when it is neither, or not valid now. May block.
   *
   * @throws SQLException when the database does not answer
   */
  public Optional<Caller> authenticate(String credential) throws SQLException {
    Optional<ApiKey> key = ApiKey.parse(credential);
    return key.isPresent()
        ? ofKey(key.get())
        : tokens.flatMap(trusted -> trusted.caller(credential));
  }

  /**
   * The caller of a key that was valid when it was last looked up, an hour ago at the most: for
   * what has to be answered while the database is away.
   */
  public Optional<Caller> lastKnown(String credential) {
    return ApiKey.parse(credential).map(key -> lastKnown.getIfPresent(key.sha256()));
  }

  /** True for a key of which nothing is remembered: to look it up costs a query. */
  public boolean needsLookUp(String credential) {
    return ApiKey.parse(credential)
        .map(ApiKey::sha256)
        .filter(key -> refused.getIfPresent(key) == null && lastKnown.getIfPresent(key) == null)
        .isPresent();
  }

  private Optional<Caller> ofKey(ApiKey key) throws SQLException {
    String sha256 = key.sha256();
    if (refused.getIfPresent(sha256) != null) {
      return Optional.empty();
    }
    Caller before = verified.getIfPresent(sha256);
    if (before != null) {
      return Optional.of(before);
    }
    Optional<KeyLookup.Known> known = keys.find(key.prefix());
    // Compared also when there is none: the answer takes as long.
    if (!equal(sha256, known.map(KeyLookup.Known::sha256).orElse(NOBODY))) {
      lastKnown.invalidate(sha256);
      refused.put(sha256, true);
      return Optional.empty();
    }
    Caller caller = known.orElseThrow().caller();
    keys.used(key.prefix());
    verified.put(sha256, caller);
    lastKnown.put(sha256, caller);
    return Optional.of(caller);
  }

  /** In a time that does not tell how much was right. */
  private static boolean equal(String one, String other) {
    return MessageDigest.isEqual(
        one.getBytes(StandardCharsets.US_ASCII), other.getBytes(StandardCharsets.US_ASCII));
  }
}
