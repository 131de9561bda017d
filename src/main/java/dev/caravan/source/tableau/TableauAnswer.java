package dev.caravan.source.tableau;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.json.JsonEnvelope;
import dev.caravan.source.http.HttpStatus;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** Route steps behind a call: what Tableau answered, or a failure with a code. */
public final class TableauAnswer {

  /** Exchange property: the session token, for the header X-Tableau-Auth of the next call. */
  static final String TOKEN = "CaravanTableauToken";

  private static final int OK = 200;
  private static final int MAX_SMALL_BYTES = 64 * 1024;
  private static final Duration DEFAULT_PAUSE = Duration.ofMinutes(1);

  private Duration maxPause = Duration.ofHours(1);

  /** Seconds that a Retry-After can make us wait at the most. */
  public void setMaxPauseSeconds(long seconds) {
    this.maxPause = Duration.ofSeconds(seconds);
  }

  /** Behind a sign-in: keeps the token of the session. */
  public void signedIn(Exchange exchange) throws IOException {
    JsonNode answer = TableauJson.tree(small(exchange.getMessage()));
    int status = HttpStatus.of(exchange.getMessage());
    String token = answer.path("credentials").path("token").asText();
    if (status != OK) {
      throw TableauError.of(status, answer)
          .failure(HttpStatus.pause(exchange.getMessage(), maxPause));
    }
    if (token.isEmpty()) {
      throw new CaravanException(
          FailureCode.BAD_JSON, "Tableau: the answer to the sign-in has no token.");
    }
    exchange.setProperty(TOKEN, token);
    exchange.getMessage().setBody(null);
  }

  /** Behind a query: the body becomes its records, read as they are pulled. */
  public void queried(Exchange exchange) throws IOException {
    Message message = exchange.getMessage();
    int status = HttpStatus.of(message);
    if (status != OK) {
      TableauError error = TableauError.of(status, TableauJson.tree(small(message)));
      CaravanException failure = error.failure(HttpStatus.pause(message, maxPause));
      throw error.sessionEnded() ? new SessionEnded(failure.getMessage()) : failure;
    }
    message.setBody(JsonEnvelope.read(body(message), "data", TableauAnswer::refuseError));
  }

  /** An answer that has data and an error has not all data. */
  private static void refuseError(String name, Object value) {
    if (!name.equals("error")) {
      return;
    }
    TableauError error = TableauError.of(OK, TableauJson.tree(value));
    boolean known = TableauFault.of(error.number()).isPresent() && !error.sessionEnded();
    throw known
        ? error.failure(DEFAULT_PAUSE)
        : new CaravanException(
            FailureCode.SOURCE_INCOMPLETE,
            "Tableau: the answer has an error beside its data, so that rows are missing%s%s."
                .formatted(
                    error.number().isEmpty() ? "" : " (code " + error.number() + ")",
                    error.text().isBlank() ? "" : ". It says: " + error.text()));
  }

  private static InputStream body(Message message) {
    InputStream body = message.getBody(InputStream.class);
    return body == null ? new ByteArrayInputStream(new byte[0]) : body;
  }

  /** The start of an answer that is no data; the rest is not read. */
  private static byte[] small(Message message) throws IOException {
    try (InputStream body = body(message)) {
      return body.readNBytes(MAX_SMALL_BYTES);
    }
  }
}
