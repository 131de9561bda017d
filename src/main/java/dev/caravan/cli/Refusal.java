package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;

/** A refusal of the server in words: the problem (RFC 9457), and what to do about it. */
final class Refusal {

  private static final int UNAUTHENTICATED = 401;
  private static final int FORBIDDEN = 403;
  private static final int BUSY = 429;
  private static final int UNAVAILABLE = 503;

  private Refusal() {}

  static CallFailed of(int status, byte[] body, URI server, ApiKey key) {
    CallFailed.Kind kind =
        status == BUSY || status == UNAVAILABLE ? CallFailed.Kind.BUSY : CallFailed.Kind.REFUSED;
    return new CallFailed(kind, words(status, problem(body), server) + hint(status, key));
  }

  private static JsonNode problem(byte[] body) {
    try {
      JsonNode problem = RestClient.JSON.readTree(body);
      return problem.has("error_code") ? problem : null;
    } catch (IOException e) {
      return null; // a proxy in between answers as it likes
    }
  }

  private static String words(int status, JsonNode problem, URI server) {
    if (problem == null) {
      return "%s answers with status %d, not as Caravan does.".formatted(server, status);
    }
    StringBuilder words = new StringBuilder(problem.path("error_code").asText());
    words.append(' ').append(problem.path("detail").asText());
    for (JsonNode error : problem.path("errors")) {
      words.append(
          "%n  %s %s: %s".formatted(text(error, "in"), text(error, "at"), text(error, "detail")));
    }
    return words.toString();
  }

  private static String text(JsonNode error, String name) {
    return error.path(name).asText();
  }

  private static String hint(int status, ApiKey key) {
    return switch (status) {
      case UNAUTHENTICATED ->
          " The key is that of %s: it is wrong, expired or revoked, or another Caravan's."
              .formatted(key.source());
      case FORBIDDEN -> " The key is that of %s.".formatted(key.source());
      default -> "";
    };
  }
}
