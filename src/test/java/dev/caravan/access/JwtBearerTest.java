package dev.caravan.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JwtBearerTest {

  private static final String ISSUER = "https://issuer.example";

  @TempDir static Path folder;
  private static RSAKey rsa;
  private static RSAKey foreign;
  private static ECKey ec;
  private static JwtBearer bearer;

  @BeforeAll
  static void trust() throws Exception {
    rsa = new RSAKeyGenerator(2048).keyID("r1").generate();
    foreign = new RSAKeyGenerator(2048).keyID("r1").generate();
    ec = new ECKeyGenerator(Curve.P_256).keyID("e1").generate();
    Path jwks = folder.resolve("jwks.json");
    Files.writeString(jwks, new JWKSet(List.of(rsa, ec)).toPublicJWKSet().toString());
    bearer = new JwtBearer(new JwtTrust(jwks.toUri().toURL(), ISSUER, "caravan", "tenant", "role"));
  }

  private static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(ISSUER)
        .audience("caravan")
        .subject("u1")
        .expirationTime(in(300))
        .claim("tenant", "acme")
        .claim("role", "operator");
  }

  private static Date in(long seconds) {
    return Date.from(Instant.now().plusSeconds(seconds));
  }

  private static String signed(JWSHeader header, JWTClaimsSet claims, JWSSigner signer)
      throws Exception {
    SignedJWT token = new SignedJWT(header, claims);
    token.sign(signer);
    return token.serialize();
  }

  private static JWSHeader.Builder rs256() {
    return new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("r1");
  }

  private static String with(Consumer<JWTClaimsSet.Builder> change) throws Exception {
    JWTClaimsSet.Builder claims = claims();
    change.accept(claims);
    return signed(rs256().build(), claims.build(), new RSASSASigner(rsa));
  }

  @Test
  void takesTokensOfTheIssuer() throws Exception {
    assertThat(bearer.caller(with(c -> {}))).contains(new Caller("acme", Role.OPERATOR, "u1"));
    String es256 =
        signed(
            new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("e1").build(),
            claims().claim("role", List.of("x", "viewer", "admin")).build(),
            new ECDSASigner(ec));
    assertThat(bearer.caller(es256)).contains(new Caller("acme", Role.ADMIN, "u1"));
    assertThat(bearer.caller(with(c -> c.audience(List.of("other", "caravan"))))).isPresent();
    assertThat(bearer.caller(with(c -> c.expirationTime(in(-30))))).isPresent();
    String atJwt =
        signed(
            rs256().type(new JOSEObjectType("at+jwt")).build(),
            claims().build(),
            new RSASSASigner(rsa));
    assertThat(bearer.caller(atJwt)).isPresent();
  }

  @Test
  void refusesForgedTokens() throws Exception {
    Map<String, String> forged = new LinkedHashMap<>();
    String good = with(c -> {});
    String[] parts = good.split("\\.", -1);
    forged.put("alg none", new PlainJWT(claims().build()).serialize());
    forged.put(
        "alg None, by hand", base64("{\"alg\":\"None\",\"kid\":\"r1\"}") + "." + parts[1] + ".");
    forged.put(
        "alg none, signature left", base64("{\"alg\":\"none\"}") + "." + parts[1] + "." + parts[2]);
    forged.put(
        "HS256 with the public key as secret",
        signed(
            new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("r1").build(),
            claims().build(),
            new MACSigner(rsa.toRSAPublicKey().getEncoded())));
    forged.put(
        "RS512",
        signed(
            new JWSHeader.Builder(JWSAlgorithm.RS512).keyID("r1").build(),
            claims().build(),
            new RSASSASigner(rsa)));
    forged.put(
        "PS256",
        signed(
            new JWSHeader.Builder(JWSAlgorithm.PS256).keyID("r1").build(),
            claims().build(),
            new RSASSASigner(rsa)));
    forged.put(
        "foreign key, same kid",
        signed(rs256().build(), claims().build(), new RSASSASigner(foreign)));
    forged.put(
        "unknown kid",
        signed(
            new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("r9").build(),
            claims().build(),
            new RSASSASigner(foreign)));
    forged.put(
        "kid is a path",
        signed(
            new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("../../dev/null").build(),
            claims().build(),
            new RSASSASigner(foreign)));
    forged.put(
        "kid is an injection",
        signed(
            new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("r1' OR '1'='1").build(),
            claims().build(),
            new RSASSASigner(foreign)));
    forged.put(
        "own key in jwk",
        signed(
            rs256().jwk(foreign.toPublicJWK()).build(),
            claims().build(),
            new RSASSASigner(foreign)));
    forged.put(
        "jku",
        signed(
            rs256().jwkURL(URI.create("http://127.0.0.1:1/jwks")).build(),
            claims().build(),
            new RSASSASigner(foreign)));
    forged.put(
        "x5u",
        signed(
            rs256().x509CertURL(URI.create("http://127.0.0.1:1/cert")).build(),
            claims().build(),
            new RSASSASigner(foreign)));
    forged.put(
        "unknown crit",
        signed(
            rs256().criticalParams(java.util.Set.of("x")).customParam("x", 1).build(),
            claims().build(),
            new RSASSASigner(rsa)));
    forged.put(
        "wrong type",
        signed(
            rs256().type(new JOSEObjectType("logout+jwt")).build(),
            claims().build(),
            new RSASSASigner(rsa)));
    forged.put("no signature", parts[0] + "." + parts[1] + ".");
    forged.put(
        "changed claims",
        parts[0]
            + "."
            + base64(
                new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8)
                    .replace("operator", "admin"))
            + "."
            + parts[2]);
    forged.put("two signatures", good + "." + parts[2]);
    forged.put("wrong issuer", with(c -> c.issuer(ISSUER + "/")));
    forged.put("no issuer", with(c -> c.issuer(null)));
    forged.put("wrong audience", with(c -> c.audience("caravan2")));
    forged.put("no audience", with(c -> c.audience((String) null)));
    forged.put("expired", with(c -> c.expirationTime(in(-90))));
    forged.put("no expiry", with(c -> c.expirationTime(null)));
    forged.put("not yet", with(c -> c.notBeforeTime(in(120))));
    forged.put("no tenant", with(c -> c.claim("tenant", null)));
    forged.put("empty tenant", with(c -> c.claim("tenant", "")));
    forged.put("tenant is a list", with(c -> c.claim("tenant", List.of("acme"))));
    forged.put("no role", with(c -> c.claim("role", null)));
    forged.put("unknown role", with(c -> c.claim("role", "root")));
    forged.put("role in capitals", with(c -> c.claim("role", "ADMIN")));
    forged.put("no subject", with(c -> c.subject(null)));
    forged.put("huge", with(c -> c.claim("x", "x".repeat(10_000))));
    forged.put("nothing", "");
    forged.put("dots", "..");
    assertThat(forged).hasSizeGreaterThanOrEqualTo(25);
    forged.forEach((name, token) -> assertThat(bearer.caller(token)).as(name).isEmpty());
    assertThat(bearer.caller(good)).isPresent();
  }

  private static String base64(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
