package dev.caravan.source.http;

import dev.caravan.source.http.HttpConfig.Auth;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpRequest;

/** What each request has with it to say who asks. A parameter of a job never reaches it. */
abstract class Authentication {

  /** Which keys each type needs. */
  private static final Map<String, List<String>> NEEDS =
      Map.of(
          "none", List.of(),
          "header", List.of("header", "secret"),
          "basic", List.of("user", "password"),
          "bearer", List.of("token"),
          "oauth", List.of("token_url", "client_id", "client_secret"),
          "jwt", List.of("algorithm", "key", "issuer"));

  /** Signs a request. */
  abstract void sign(HttpRequest request);

  /**
   * Told when the source did not accept a request.
   *
   * @return true when another one may be accepted
   */
  boolean renew() {
    return false;
  }

  /**
   * The one of a configuration.
   *
   * @param tokens asks a token endpoint
   * @param problems what is wrong is added here
   */
  static Authentication of(Auth auth, OAuthToken.Endpoint tokens, List<String> problems) {
    if (auth == null || auth.type().equals("none")) {
      return fixed(HttpHeaders.AUTHORIZATION, null);
    }
    Map<String, String> given = given(auth);
    for (String key : NEEDS.get(auth.type())) {
      if (given.get(key) == null || given.get(key).isBlank()) {
        problems.add("auth.%s: missing; type %s needs it".formatted(key, auth.type()));
      }
    }
    if (!problems.isEmpty()) {
      return fixed(HttpHeaders.AUTHORIZATION, null);
    }
    return switch (auth.type()) {
      case "header" -> fixed(auth.header(), auth.secret());
      case "basic" -> fixed(HttpHeaders.AUTHORIZATION, "Basic " + basic(auth));
      case "bearer" -> fixed(HttpHeaders.AUTHORIZATION, "Bearer " + auth.token());
      case "oauth" -> new OAuthToken(auth, tokens);
      default -> SignedToken.of(auth, problems);
    };
  }

  private static Map<String, String> given(Auth auth) {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("header", auth.header());
    given.put("secret", auth.secret());
    given.put("user", auth.user());
    given.put("password", auth.password());
    given.put("token", auth.token());
    given.put("token_url", auth.tokenUrl());
    given.put("client_id", auth.clientId());
    given.put("client_secret", auth.clientSecret());
    given.put("algorithm", auth.algorithm());
    given.put("key", auth.key());
    given.put("issuer", auth.issuer());
    return given;
  }

  /** What no message may show. */
  static List<String> secrets(Auth auth) {
    return Optional.ofNullable(auth).stream()
        .flatMap(
            a ->
                java.util.stream.Stream.of(
                    a.secret(), a.password(), a.token(), a.clientSecret(), a.key()))
        .filter(Objects::nonNull)
        .filter(secret -> !secret.isBlank())
        .toList();
  }

  static String basic(Auth auth) {
    return Base64.getEncoder()
        .encodeToString((auth.user() + ":" + auth.password()).getBytes(StandardCharsets.UTF_8));
  }

  private static Authentication fixed(String header, String value) {
    return new Authentication() {
      @Override
      void sign(HttpRequest request) {
        if (value != null) {
          request.setHeader(header, value);
        }
      }
    };
  }
}
