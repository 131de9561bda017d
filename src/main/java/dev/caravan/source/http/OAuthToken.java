package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.source.http.HttpConfig.Auth;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpRequest;

/**
 * OAuth 2 with client credentials. The token is kept here, in the source that it was given for, and
 * nowhere else: no other source can be served it, whatever they have in common.
 */
final class OAuthToken extends Authentication {

  /** A token is not used so shortly before its end: the request takes time, and clocks differ. */
  private static final Duration MARGIN = Duration.ofSeconds(30);

  private final Auth auth;
  private final Endpoint endpoint;
  private final Clock clock = Clock.systemUTC();
  private String token;
  private Instant end = Instant.MIN;

  /** Asks a token endpoint. */
  interface Endpoint {
    /** The JSON of its answer; a missing node when it is none. */
    JsonNode ask(String url, Map<String, String> form);
  }

  OAuthToken(Auth auth, Endpoint endpoint) {
    this.auth = auth;
    this.endpoint = endpoint;
  }

  @Override
  synchronized void sign(HttpRequest request) {
    if (token == null || !clock.instant().isBefore(end)) {
      ask();
    }
    request.setHeader(HttpHeaders.AUTHORIZATION, "Bearer " + token);
  }

  @Override
  synchronized boolean renew() {
    token = null;
    return true;
  }

  private void ask() {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "client_credentials");
    form.put("client_id", auth.clientId());
    form.put("client_secret", auth.clientSecret());
    if (auth.scope() != null) {
      form.put("scope", auth.scope());
    }
    if (auth.resource() != null) {
      form.put("resource", auth.resource());
    }
    JsonNode answer = endpoint.ask(auth.tokenUrl(), form);
    String given = answer.path("access_token").asText();
    if (given.isBlank() || !answer.path("token_type").asText("bearer").equalsIgnoreCase("bearer")) {
      throw new CaravanException(
          FailureCode.BAD_ANSWER, "The token endpoint answers without a bearer token.");
    }
    token = given;
    // without a lifetime, or with none that makes sense, it is good for the one request
    long seconds = answer.path("expires_in").asLong(0);
    end = clock.instant().plusSeconds(Math.max(0, Math.min(seconds, 86_400))).minus(MARGIN);
  }
}
