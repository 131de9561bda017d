package dev.caravan.web;

import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;

/** What a client sends to say who it is. */
final class Credential {

  private Credential() {}

  /**
   * {@code Authorization: Bearer}, or {@code X-API-Key}. For pages also what a browser asks its
   * user for: any name, and the key as password.
   *
   * @return empty when there is none; a header of another form is a credential that nobody has
   */
  static Optional<String> of(HttpServerRequest request, boolean page) {
    String header = request.getHeader("Authorization");
    String key = request.getHeader("X-API-Key");
    if (header == null || header.isBlank()) {
      return Optional.ofNullable(key).map(String::strip).filter(text -> !text.isEmpty());
    }
    String[] parts = header.strip().split(" +", 2);
    String scheme = parts[0].toLowerCase(Locale.ROOT);
    String value = parts.length == 2 ? parts[1] : "";
    return Optional.of(
        switch (scheme) {
          case "bearer" -> value;
          case "basic" -> page ? password(value) : "";
          default -> "";
        });
  }

  private static String password(String basic) {
    try {
      String login = new String(Base64.getDecoder().decode(basic), StandardCharsets.UTF_8);
      return login.substring(login.indexOf(':') + 1);
    } catch (IllegalArgumentException e) {
      return "";
    }
  }
}
