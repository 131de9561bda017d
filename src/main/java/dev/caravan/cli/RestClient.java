package dev.caravan.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.cli.CallFailed.Kind;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** Calls the REST API of one server; each failure is a {@link CallFailed}. */
final class RestClient {

  static final ObjectMapper JSON = new ObjectMapper();

  private static final String API = "/api/v1";
  private static final int LAUNCH_TRIES = 3;

  /** A preview opens files of a server that may be slow. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();
  private final URI server;
  private final ApiKey key;

  RestClient(URI server, ApiKey key) {
    this.server = server;
    this.key = key;
  }

  /** Text as a part of a path or a query. */
  static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** A value of an answer as text; empty when it is null or not there. */
  static String text(JsonNode node, String name) {
    return node.path(name).asText("");
  }

  JsonNode get(String path) {
    return json(request(path).timeout(PATIENCE).build());
  }

  JsonNode post(String path) {
    return json(request(path).timeout(PATIENCE).POST(BodyPublishers.noBody()).build());
  }

  /** The bytes of an answer that is no JSON; to be closed. */
  InputStream download(String path) {
    return answer(request(path).timeout(PATIENCE).build());
  }

  /**
   * Launches an import. With the same key it is the same job, so that a lost answer is asked for
   * again.
   */
  JsonNode launch(ObjectNode wanted, String idempotencyKey) {
    HttpRequest request =
        request("/import")
            .timeout(PATIENCE)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", idempotencyKey)
            .POST(BodyPublishers.ofString(wanted.toString()))
            .build();
    for (int i = 1; ; i++) {
      try {
        return json(request);
      } catch (CallFailed e) {
        if (e.kind() != Kind.ANSWER_LOST || i == LAUNCH_TRIES) {
          throw e;
        }
      }
    }
  }

  /** Sends a file, whose name decides its table. */
  JsonNode upload(Path file) {
    try {
      return json(
          request("/uploads?filename=" + encoded(file.getFileName().toString()))
              .header("Content-Type", "application/octet-stream")
              .POST(BodyPublishers.ofFile(file))
              .build());
    } catch (FileNotFoundException e) {
      throw new CallFailed(Kind.REFUSED, "The file cannot be read: " + e.getMessage());
    }
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(server + API + path))
        .header("Authorization", "Bearer " + key.secret());
  }

  private JsonNode json(HttpRequest request) {
    try (InputStream body = answer(request)) {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new CallFailed(Kind.REFUSED, server + " answers with other than JSON: no Caravan?");
    } catch (IOException e) {
      throw lost(e);
    }
  }

  private InputStream answer(HttpRequest request) {
    HttpResponse<InputStream> response;
    try {
      response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      if (response.statusCode() / 100 != 2) {
        throw Refusal.of(response.statusCode(), response.body().readAllBytes(), server, key);
      }
    } catch (ConnectException | HttpConnectTimeoutException e) {
      throw new CallFailed(
          Kind.UNREACHABLE,
          "%s does not answer. Does Caravan run there? --url says where.".formatted(server));
    } catch (IOException e) {
      throw lost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CallFailed(Kind.ANSWER_LOST, "Interrupted.");
    }
    return response.body();
  }

  private CallFailed lost(IOException e) {
    return new CallFailed(
        Kind.ANSWER_LOST, "The connection to %s broke: %s".formatted(server, e.getMessage()));
  }
}
