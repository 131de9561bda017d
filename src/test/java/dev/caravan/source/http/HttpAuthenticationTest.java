package dev.caravan.source.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jwt.SignedJWT;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.testing.StubSource;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each way to say who asks. */
class HttpAuthenticationTest {

  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  private StubSource stub;

  @BeforeEach
  void start() throws Exception {
    stub = StubSource.start();
  }

  @AfterEach
  void stop() {
    stub.close();
  }

  private HttpSource source(String auth) throws Exception {
    ObjectNode document = (ObjectNode) new YAMLMapper().readTree("{auth: %s}".formatted(auth));
    return new HttpSource("Stub", document.put("url", stub.url()));
  }

  private void read(HttpSource source) throws Exception {
    try (HttpRecords records = source.read(Map.of(), null)) {
      while (records.hasNext()) {
        records.next();
      }
    }
  }

  private FailureCode failure(HttpSource source) throws Exception {
    try {
      read(source);
      throw new AssertionError("did not fail");
    } catch (CaravanException e) {
      assertThat(e).hasMessageNotContaining("s3cret");
      return e.code();
    }
  }

  private StubSource.Call call(String auth) throws Exception {
    stub.then(200, "[]");
    try (HttpSource source = source(auth)) {
      read(source);
    }
    return stub.calls().get(stub.calls().size() - 1);
  }

  private String authorization(String auth) throws Exception {
    return call(auth).headers().get("authorization");
  }

  @Test
  void sendsWhatIsConfigured() throws Exception {
    assertThat(authorization("{type: none}")).isNull();
    assertThat(call("{type: header, header: X-Key, secret: k}").headers())
        .containsEntry("x-key", "k");
    assertThat(authorization("{type: bearer, token: t}")).isEqualTo("Bearer t");
    assertThat(authorization("{type: basic, user: ä, password: 'p:w'}"))
        .isEqualTo(
            "Basic "
                + Base64.getEncoder().encodeToString("ä:p:w".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void signsANewTokenForEachRequest() throws Exception {
    String auth =
        "{type: jwt, algorithm: HS256, key: %s, key_id: k1, issuer: us, subject: me, audience: them, claims: {scp: [read]}}"
            .formatted(SECRET);
    SignedJWT token = SignedJWT.parse(authorization(auth).substring(7));
    assertThat(token.verify(new MACVerifier(SECRET))).isTrue();
    assertThat(token.getHeader().getKeyID()).isEqualTo("k1");
    assertThat(token.getJWTClaimsSet().getIssuer()).isEqualTo("us");
    assertThat(token.getJWTClaimsSet().getAudience()).containsExactly("them");
    assertThat(token.getJWTClaimsSet().getStringListClaim("scp")).containsExactly("read");
    assertThat(token.getJWTClaimsSet().getExpirationTime()).isInTheFuture();
    assertThat(authorization(auth)).doesNotContain(token.serialize());
  }

  @Test
  void signsWithPrivateKeys() throws Exception {
    KeyPair rsa = keys("RSA", 2048);
    assertThat(
            SignedJWT.parse(authorization(jwt("RS256", rsa)).substring(7))
                .verify(new RSASSAVerifier((RSAPublicKey) rsa.getPublic())))
        .isTrue();
    KeyPair ec = keys("EC", 256);
    assertThat(
            SignedJWT.parse(authorization(jwt("ES256", ec)).substring(7))
                .verify(new ECDSAVerifier((ECPublicKey) ec.getPublic())))
        .isTrue();
    assertThatThrownBy(
            () -> source("{type: jwt, algorithm: RS256, issuer: x, key: not-a-key-s3cret}"))
        .hasMessageContaining("auth.key: does not fit RS256")
        .hasMessageNotContaining("s3cret");
  }

  private static KeyPair keys(String algorithm, int bits) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  private static String jwt(String algorithm, KeyPair keys) {
    String pem = Base64.getEncoder().encodeToString(keys.getPrivate().getEncoded());
    return "{type: jwt, algorithm: %s, issuer: x, key: \"-----BEGIN PRIVATE KEY-----\\n%s\\n-----END PRIVATE KEY-----\"}"
        .formatted(algorithm, pem);
  }

  private String oauth(String more) {
    return "{type: oauth, token_url: '%s/token', client_id: c, client_secret: s3cret%s}"
        .formatted(stub.url(), more);
  }

  private static String token(String token, String expiresIn) {
    return "{\"access_token\":\"%s\",\"token_type\":\"Bearer\"%s}"
        .formatted(token, expiresIn.isEmpty() ? "" : ",\"expires_in\":" + expiresIn);
  }

  private List<String> sent() {
    return stub.calls().stream()
        .map(c -> c.target().equals("/token") ? "token" : c.headers().get("authorization"))
        .toList();
  }

  @Test
  void asksForOneTokenForManyRequests() throws Exception {
    stub.then(200, token("t1", "3600")).then(200, "[]").then(200, "[]");
    try (HttpSource source = source(oauth(", scope: a b, resource: r"))) {
      read(source);
      read(source);
    }
    assertThat(sent()).containsExactly("token", "Bearer t1", "Bearer t1");
    assertThat(stub.calls().get(0).body())
        .isEqualTo(
            "grant_type=client_credentials&client_id=c&client_secret=s3cret&scope=a+b&resource=r");
  }

  @ParameterizedTest
  @CsvSource({"0, false", "-1, false", "'', false", "10, false", "\"3600\", true", "3600, true"})
  void keepsATokenForItsLifetime(String expiresIn, boolean kept) throws Exception {
    stub.then(200, token("t1", expiresIn)).then(200, "[]");
    if (!kept) {
      stub.then(200, token("t2", expiresIn));
    }
    stub.then(200, "[]");
    try (HttpSource source = source(oauth(""))) {
      read(source);
      read(source);
    }
    assertThat(sent())
        .isEqualTo(
            kept
                ? List.of("token", "Bearer t1", "Bearer t1")
                : List.of("token", "Bearer t1", "token", "Bearer t2"));
  }

  @Test
  void asksForANewTokenOnceWhenOneIsNotAccepted() throws Exception {
    stub.then(200, token("t1", "3600"))
        .then(401, "")
        .then(200, token("t2", "3600"))
        .then(200, "[]");
    try (HttpSource source = source(oauth(""))) {
      read(source);
      assertThat(sent()).containsExactly("token", "Bearer t1", "token", "Bearer t2");
      stub.then(401, "").then(200, token("t3", "3600")).then(401, "");
      assertThat(failure(source)).isEqualTo(FailureCode.AUTH_FAILED);
      assertThat(stub.calls()).hasSize(7);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "500, SOURCE_UNAVAILABLE",
    "429, SOURCE_LIMIT",
    "400, AUTH_FAILED",
    "401, AUTH_FAILED",
    "302, SOURCE_REFUSED"
  })
  void tellsWhyThereIsNoToken(int status, FailureCode code) throws Exception {
    stub.then(status, "s3cret");
    try (HttpSource source = source(oauth(""))) {
      assertThat(failure(source)).isEqualTo(code);
    }
    assertThat(stub.calls()).hasSize(1);
  }

  @Test
  void anAnswerWithoutATokenIsNone() throws Exception {
    stub.then(200, "<html>").then(200, "{\"access_token\":\"x\",\"token_type\":\"mac\"}");
    try (HttpSource source = source(oauth(""))) {
      assertThat(failure(source)).isEqualTo(FailureCode.BAD_ANSWER);
      assertThat(failure(source)).isEqualTo(FailureCode.BAD_ANSWER);
    }
  }

  @Test
  void noSourceIsServedTheTokenOfAnotherOne() throws Exception {
    stub.then(200, token("t1", "3600"))
        .then(200, "[]")
        .then(200, token("t2", "3600"))
        .then(200, "[]");
    try (HttpSource one = source(oauth(", scope: a"));
        HttpSource other = source(oauth(", scope: b"))) {
      read(one);
      read(other);
    }
    assertThat(sent()).containsExactly("token", "Bearer t1", "token", "Bearer t2");
  }

  @Test
  void saysWhichKeysATypeNeeds() {
    assertThatThrownBy(() -> source("{type: oauth, client_id: c}"))
        .hasMessageContainingAll("auth.token_url: missing", "auth.client_secret: missing");
  }
}
