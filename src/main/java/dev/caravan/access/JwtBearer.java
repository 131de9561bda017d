package dev.caravan.access;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks JWT bearer tokens: signed with RS256 or ES256 by a key of the JWKS, from our issuer, for
 * our audience, not expired. Keys that a token itself names or links to are never used.
 */
public final class JwtBearer {

  private static final Logger LOG = LoggerFactory.getLogger(JwtBearer.class);

  private static final int TIMEOUT_MILLIS = 2_000;
  private static final int MAX_JWKS_BYTES = 64 * 1024;
  private static final int MAX_TOKEN_CHARS = 8 * 1024;
  private static final int SKEW_SECONDS = 60;
  private static final long WARN_NANOS = Duration.ofMinutes(1).toNanos();

  private final JwtTrust trust;
  private final AtomicLong warned = new AtomicLong();
  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();

  /** Fetches the keys when the first token comes, and keeps them for five minutes. */
  public JwtBearer(JwtTrust trust) {
    this.trust = trust;
    JWKSource<SecurityContext> keys =
        JWKSourceBuilder.<SecurityContext>create(
                trust.jwks(),
                new DefaultResourceRetriever(TIMEOUT_MILLIS, TIMEOUT_MILLIS, MAX_JWKS_BYTES))
            .build();
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(Set.of(JWSAlgorithm.RS256, JWSAlgorithm.ES256), keys));
    processor.setJWSTypeVerifier(
        new DefaultJOSEObjectTypeVerifier<>(
            JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
    DefaultJWTClaimsVerifier<SecurityContext> claims =
        new DefaultJWTClaimsVerifier<>(
            trust.audience(),
            new JWTClaimsSet.Builder().issuer(trust.issuer()).build(),
            Set.of("exp", "sub", trust.tenantClaim(), trust.roleClaim()));
    claims.setMaxClockSkew(SKEW_SECONDS);
    processor.setJWTClaimsSetVerifier(claims);
  }

  /** The caller that a token names; empty when it is no token or not valid. May block. */
  Optional<Caller> caller(String token) {
    if (token.length() > MAX_TOKEN_CHARS) {
      return Optional.empty();
    }
    try {
      JWTClaimsSet claims = processor.process(SignedJWT.parse(token), null);
      String tenant = claims.getStringClaim(trust.tenantClaim());
      return Caller.isTenant(tenant)
          ? role(claims.getClaim(trust.roleClaim()))
              .map(role -> new Caller(tenant, role, claims.getSubject()))
          : Optional.empty();
    } catch (KeySourceException e) {
      warn(e);
      return Optional.empty();
    } catch (ParseException | BadJOSEException | JOSEException e) {
      return Optional.empty();
    }
  }

  /** Anybody may send tokens of keys that are not there: once a minute is enough. */
  private void warn(KeySourceException e) {
    long now = System.nanoTime();
    long before = warned.get();
    if ((before == 0 || now - before > WARN_NANOS) && warned.compareAndSet(before, now)) {
      LOG.warn(
          "The keys of the issuer cannot be fetched from {}: {}", trust.jwks(), e.getMessage());
    }
  }

  /** The highest of the roles that are ours. */
  private static Optional<Role> role(Object claim) {
    Stream<?> names = claim instanceof List<?> list ? list.stream() : Stream.of(claim);
    return names
        .filter(String.class::isInstance)
        .flatMap(name -> Role.of((String) name).stream())
        .max(Role::compareTo);
  }
}
