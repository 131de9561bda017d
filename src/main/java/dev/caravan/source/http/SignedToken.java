package dev.caravan.source.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.caravan.source.http.HttpConfig.Auth;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.UUID;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpRequest;

/** A JSON Web Token of our own, a new one for each request: it can be used once. */
final class SignedToken extends Authentication {

  private static final Duration LIFETIME = Duration.ofMinutes(5);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Auth auth;
  private final JWSAlgorithm algorithm;
  private final JWSSigner signer;

  private SignedToken(Auth auth, JWSAlgorithm algorithm, JWSSigner signer) {
    this.auth = auth;
    this.algorithm = algorithm;
    this.signer = signer;
  }

  /** Null, with a problem added, when the key does not fit. */
  static SignedToken of(Auth auth, List<String> problems) {
    JWSAlgorithm algorithm = JWSAlgorithm.parse(auth.algorithm());
    try {
      return new SignedToken(auth, algorithm, signer(algorithm, auth.key()));
    } catch (JOSEException | GeneralSecurityException | IllegalArgumentException e) {
      // without its message, which may quote the key
      problems.add(
          "auth.key: does not fit %s; allowed: %s"
              .formatted(
                  auth.algorithm(),
                  auth.algorithm().equals("HS256")
                      ? "a text of 32 bytes or more"
                      : "a private key in PEM, beginning with -----BEGIN PRIVATE KEY-----"));
      return null;
    }
  }

  private static JWSSigner signer(JWSAlgorithm algorithm, String key)
      throws JOSEException, GeneralSecurityException {
    if (algorithm.equals(JWSAlgorithm.HS256)) {
      return new MACSigner(key);
    }
    // Nimbus' own reader of PEM needs a library that is not here
    byte[] pkcs8 =
        Base64.getMimeDecoder()
            .decode(key.replace("\\n", "\n").replaceAll("-----(BEGIN|END) PRIVATE KEY-----", ""));
    boolean rsa = algorithm.equals(JWSAlgorithm.RS256);
    PrivateKey secret =
        KeyFactory.getInstance(rsa ? "RSA" : "EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    return rsa ? new RSASSASigner(secret) : new ECDSASigner((ECPrivateKey) secret);
  }

  @Override
  void sign(HttpRequest request) {
    Instant now = Instant.now();
    JWTClaimsSet.Builder claims =
        new JWTClaimsSet.Builder()
            .issuer(auth.issuer())
            .subject(auth.subject())
            .audience(auth.audience())
            .jwtID(UUID.randomUUID().toString())
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plus(LIFETIME)));
    if (auth.claims() != null) {
      auth.claims()
          .forEach((name, value) -> claims.claim(name, MAPPER.convertValue(value, Object.class)));
    }
    SignedJWT token =
        new SignedJWT(
            new JWSHeader.Builder(algorithm).type(JOSEObjectType.JWT).keyID(auth.keyId()).build(),
            claims.build());
    try {
      token.sign(signer);
    } catch (JOSEException e) {
      throw new IllegalStateException("the key was tried at the start", e);
    }
    request.setHeader(HttpHeaders.AUTHORIZATION, "Bearer " + token.serialize());
  }
}
