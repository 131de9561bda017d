package dev.caravan.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.access.ApiKey;
import dev.caravan.access.Caller;
import dev.caravan.access.Role;
import dev.caravan.access.jdbc.ApiKeys;
import dev.caravan.web.Problem.Violation;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Answers {@code /api/v1/keys}: an admin manages the keys of its own tenant. */
public final class KeysApi {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ApiKeys keys;

  /** Stores keys there. */
  public KeysApi(ApiKeys keys) {
    this.keys = keys;
  }

  /** All keys of the tenant. */
  public Object listKeys(Exchange exchange) {
    String tenant = Answer.caller(exchange).tenant();
    return Answer.of(exchange, () -> Optional.of("{\"keys\":" + keys.list(tenant) + "}"));
  }

  /** One key. */
  public Object getKey(@Header("id") String id, Exchange exchange) {
    String tenant = Answer.caller(exchange).tenant();
    return Answer.of(exchange, () -> keys.show(tenant, Answer.id(id)));
  }

  /** Makes a key; its secret is in this answer only. */
  public Object createKey(@Body String body, Exchange exchange) throws JsonProcessingException {
    JsonNode wanted = JSON.readTree(body);
    Instant expiresAt = null;
    if (wanted.has("expires_at")) {
      expiresAt = instant(wanted.get("expires_at").textValue());
      if (expiresAt.isBefore(Instant.now())) {
        List<Violation> errors =
            List.of(new Violation("body", "/expires_at", "is no time in the future"));
        return Answer.problem(
            exchange, new Problem(ProblemCode.INVALID, "The key would never be valid.", errors));
      }
    }
    Instant until = expiresAt;
    return Answer.of(exchange, () -> Optional.of(created(wanted, until, exchange)));
  }

  /** The document lets through what only a calendar can refuse, such as a leap second. */
  private static Instant instant(String text) {
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeParseException e) {
      return Instant.MIN;
    }
  }

  private String created(JsonNode wanted, Instant expiresAt, Exchange exchange)
      throws SQLException {
    ApiKey key = ApiKey.create();
    String stored =
        keys.create(
            Answer.caller(exchange).tenant(),
            Role.of(wanted.get("role").textValue()).orElseThrow(),
            wanted.get("name").textValue(),
            key,
            expiresAt);
    try {
      ObjectNode answer = (ObjectNode) JSON.readTree(stored);
      answer.put("key", key.secret());
      Answer.created(exchange, "/api/v1/keys/" + answer.get("id").textValue());
      return answer.toString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("PostgreSQL writes JSON", e);
    }
  }

  /** Revokes a key, but not the one that calls: somebody must be left to undo a mistake. */
  public Object revokeKey(@Header("id") String id, Exchange exchange) {
    Caller caller = Answer.caller(exchange);
    UUID key = Answer.id(id);
    if (key.toString().equals(caller.id())) {
      return Answer.problem(
          exchange,
          new Problem(
              ProblemCode.CONFLICT, "A key does not revoke itself; call with another one."));
    }
    return Answer.of(
        exchange,
        () -> {
          return keys.revoke(caller.tenant(), key) ? Answer.gone(exchange) : Optional.empty();
        });
  }
}
