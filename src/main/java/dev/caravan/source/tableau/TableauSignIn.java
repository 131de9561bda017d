package dev.caravan.source.tableau;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Route step: the body becomes a sign-in with a new token of a connected app (direct trust). Each
 * token can be used once.
 */
public final class TableauSignIn implements Processor {

  /** Tableau takes 10 minutes at the most; a minute is left for clocks that differ. */
  private static final Duration LIFETIME = Duration.ofMinutes(5);

  private static final int MIN_SECRET_BYTES = 32;
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "[::1]");

  private String serverUrl = "";
  private String site = "";
  private String clientId = "";
  private String secretId = "";
  private String secretValue = "";
  private String username = "";

  /** Address of the server, such as https://10ax.online.tableau.com; empty for no Tableau. */
  public void setServerUrl(String serverUrl) {
    this.serverUrl = serverUrl;
  }

  /** Content URL of the site; empty for the default site of a server. */
  public void setSite(String site) {
    this.site = site;
  }

  /** Client id of the connected app. */
  public void setClientId(String clientId) {
    this.clientId = clientId;
  }

  /** Id of its secret. */
  public void setSecretId(String secretId) {
    this.secretId = secretId;
  }

  /** The secret. */
  public void setSecretValue(String secretValue) {
    this.secretValue = secretValue;
  }

  /** Who the queries are made for. */
  public void setUsername(String username) {
    this.username = username;
  }

  /**
   * Called at start.
   *
   * @throws CaravanException CONFIG_INVALID with all that is wrong, one line for each problem
   */
  public void check() {
    if (serverUrl.isEmpty()) {
      return;
    }
    List<String> problems = new ArrayList<>();
    if (!isSafe(serverUrl)) {
      problems.add("server-url: allowed is https://host, without a path, user or password");
    }
    required(problems, "client-id", clientId);
    required(problems, "secret-id", secretId);
    required(problems, "username", username);
    if (secretValue.getBytes(StandardCharsets.UTF_8).length < MIN_SECRET_BYTES) {
      problems.add(
          "secret-value: missing or too short; HS256 needs %d bytes".formatted(MIN_SECRET_BYTES));
    }
    if (!problems.isEmpty()) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "The settings caravan.providers.tableau.* are wrong:\n  "
              + String.join("\n  ", problems));
    }
  }

  private static void required(List<String> problems, String key, String value) {
    if (value.isBlank()) {
      problems.add(key + ": missing; required with server-url");
    }
  }

  /** Without TLS only to this machine. */
  private static boolean isSafe(String url) {
    try {
      URI uri = URI.create(url);
      boolean bare =
          uri.getHost() != null
              && uri.getRawUserInfo() == null
              && uri.getRawQuery() == null
              && uri.getRawPath().isEmpty();
      return bare
          && ("https".equals(uri.getScheme())
              || ("http".equals(uri.getScheme()) && LOOPBACK.contains(uri.getHost())));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Override
  public void process(Exchange exchange) throws JOSEException {
    exchange
        .getMessage()
        .setBody(
            TableauJson.text(
                Map.of("credentials", Map.of("jwt", token(), "site", Map.of("contentUrl", site)))));
  }

  private String token() throws JOSEException {
    Instant now = Instant.now();
    JWSHeader header =
        new JWSHeader.Builder(JWSAlgorithm.HS256)
            .type(JOSEObjectType.JWT)
            .keyID(secretId)
            .customParam("iss", clientId)
            .build();
    JWTClaimsSet claims =
        new JWTClaimsSet.Builder()
            .issuer(clientId)
            .audience("tableau")
            .subject(username)
            .jwtID(UUID.randomUUID().toString())
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plus(LIFETIME)))
            .claim("scp", List.of("tableau:viz_data_service:read"))
            .build();
    SignedJWT token = new SignedJWT(header, claims);
    token.sign(new MACSigner(secretValue));
    return token.serialize();
  }
}
