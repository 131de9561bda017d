package dev.caravan.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.setup.Connections;
import dev.caravan.setup.HostWaits;
import dev.caravan.setup.Pools;
import dev.caravan.setup.StoredConnection;
import java.util.Optional;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Answers {@code /api/v1/connections}; no answer has a password. */
public final class ConnectionsApi {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Connections connections;
  private final Pools pools;
  private final HostWaits waits;

  /** Shows and changes these; tries them by the pools. */
  public ConnectionsApi(Connections connections, Pools pools, HostWaits waits) {
    this.waits = waits;
    this.connections = connections;
    this.pools = pools;
  }

  /** All of the tenant, without their addresses. */
  public Object listConnections(Exchange exchange) {
    return Answer.of(
        exchange,
        () -> {
          ObjectNode answer = JSON.createObjectNode();
          ArrayNode all = answer.putArray("connections");
          for (StoredConnection connection : connections.list(Answer.caller(exchange).tenant())) {
            all.add(summary(connection));
          }
          return Optional.of(answer.toString());
        });
  }

  /** One, with its address; the password in it is masked. */
  public Object getConnection(@Header("id") String id, Exchange exchange) {
    return Answer.of(
        exchange,
        () ->
            connections
                .find(Answer.caller(exchange).tenant(), Answer.id(id))
                .map(ConnectionsApi::json));
  }

  /** Adds one. */
  public Object createConnection(@Body String body, Exchange exchange)
      throws JsonProcessingException {
    JsonNode wanted = JSON.readTree(body);
    return Answer.waiting(
        exchange,
        waits,
        () -> {
          StoredConnection made =
              connections.create(
                  Answer.caller(exchange).tenant(),
                  wanted.get("name").textValue(),
                  wanted.path("description").textValue(),
                  wanted.get("database_url").textValue());
          Answer.created(exchange, "/api/v1/connections/" + made.id());
          return Optional.of(json(made));
        });
  }

  /** Replaces one; a password that is not given stays, unless it would go elsewhere. */
  public Object replaceConnection(@Header("id") String id, @Body String body, Exchange exchange)
      throws JsonProcessingException {
    JsonNode wanted = JSON.readTree(body);
    return Answer.waiting(
        exchange,
        waits,
        () ->
            connections
                .replace(
                    Answer.caller(exchange).tenant(),
                    Answer.id(id),
                    wanted.get("name").textValue(),
                    wanted.path("description").textValue(),
                    wanted.get("database_url").textValue())
                .map(ConnectionsApi::json));
  }

  /** Removes one that no project names. */
  public Object deleteConnection(@Header("id") String id, Exchange exchange) {
    return Answer.of(
        exchange,
        () ->
            connections.delete(Answer.caller(exchange).tenant(), Answer.id(id))
                ? Answer.gone(exchange)
                : Optional.empty());
  }

  /** Logs in once. */
  public Object testConnection(@Header("id") String id, Exchange exchange) {
    return Answer.waiting(
        exchange,
        waits,
        () -> {
          Optional<StoredConnection> connection =
              connections.find(Answer.caller(exchange).tenant(), Answer.id(id));
          if (connection.isEmpty()) {
            return Optional.empty();
          }
          Optional<String> failure = pools.test(connection.get());
          return Optional.of(
              JSON.createObjectNode()
                  .put("ok", failure.isEmpty())
                  .put("message", failure.orElse(null))
                  .toString());
        });
  }

  private static ObjectNode summary(StoredConnection connection) {
    return JSON.createObjectNode()
        .put("id", connection.id().toString())
        .put("name", connection.name())
        .put("description", connection.description())
        .put("read_only", connection.readOnly())
        .put("created_at", connection.createdAt().toString())
        .put("updated_at", connection.updatedAt().toString());
  }

  private static String json(StoredConnection connection) {
    return summary(connection).put("database_url", connection.shownUrl()).toString();
  }
}
