package dev.caravan.source.tableau;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.source.http.HttpStatus;
import java.time.Duration;
import java.util.regex.Pattern;

/**
 * An answer that is an error.
 *
 * @param status of HTTP
 * @param number Tableau's own code; empty when it did not come from Tableau
 * @param text Tableau's words, without secrets
 */
record TableauError(int status, String number, String text) {

  private static final int MAX_TEXT = 300;
  private static final Pattern TOKENS =
      Pattern.compile("eyJ[\\w-]*\\.[\\w-]*\\.?[\\w-]*|[^\\s\"'|]+\\|[^\\s\"'|]+\\|[^\\s\"']+");

  private static final int NOT_FOUND = 404;

  /** From an answer of the REST API or of the VizQL Data Service, or of something in between. */
  static TableauError of(int status, JsonNode answer) {
    JsonNode signIn = answer.path("error");
    return signIn.path("code").isTextual()
        ? new TableauError(
            status,
            signIn.path("code").textValue(),
            clean(signIn.path("summary").asText() + ": " + signIn.path("detail").asText()))
        : new TableauError(
            status, answer.path("errorCode").asText(), clean(answer.path("message").asText()));
  }

  /** Without JSON Web Tokens and session tokens (a|b|c), on one line, short. */
  private static String clean(String text) {
    String line = TOKENS.matcher(text).replaceAll("…").replaceAll("\\p{Cntrl}+", " ");
    return line.length() > MAX_TEXT ? line.substring(0, MAX_TEXT) + "…" : line;
  }

  /** True when a new sign-in may help. */
  boolean sessionEnded() {
    return TableauFault.of(number).filter(f -> f == TableauFault.SESSION_ENDED).isPresent();
  }

  /** As a failure that says what to do; {@code pause} is what to wait when there is a limit. */
  CaravanException failure(Duration pause) {
    FailureCode code =
        TableauFault.of(number).map(TableauFault::code).orElseGet(() -> HttpStatus.code(status));
    String meaning =
        TableauFault.of(number).map(TableauFault::meaning).orElseGet(this::meaningOfHttp);
    String message =
        "Tableau: %s (HTTP %d%s)%s."
            .formatted(
                meaning,
                status,
                number.isEmpty() ? "" : ", code " + number,
                text.isBlank() ? "" : ". It says: " + text);
    return code == FailureCode.SOURCE_LIMIT
        ? CaravanException.retryAfter(code, message, pause)
        : new CaravanException(code, message);
  }

  private String meaningOfHttp() {
    return status == NOT_FOUND
        ? "there is no such call, or the VizQL Data Service is disabled"
        : HttpStatus.meaning(status);
  }
}
