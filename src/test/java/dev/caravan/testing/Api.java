package dev.caravan.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * A client of the REST API.
 *
 * @param headers sent with every request
 */
public record Api(URI base, Map<String, String> headers) {

  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** The same with one more header. */
  public Api with(String name, String value) {
    Map<String, String> more = new HashMap<>(headers);
    more.put(name, value);
    return new Api(base, more);
  }

  /** GET. */
  public HttpResponse<String> get(String path) {
    return send("GET", path);
  }

  /** POST with a JSON body. */
  public HttpResponse<String> post(String path, String json) {
    return with("Content-Type", "application/json").send("POST", path, bytes(json));
  }

  /** PUT with a JSON body. */
  public HttpResponse<String> put(String path, String json) {
    return with("Content-Type", "application/json").send("PUT", path, bytes(json));
  }

  /** PUT that corrects a refused record; it must be taken. */
  public void fix(String path, String raw) {
    HttpResponse<String> answer =
        put(path, new ObjectMapper().createObjectNode().put("raw", raw).toString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(204);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  /** Any method without a body; the path goes out as it is. */
  public HttpResponse<String> send(String method, String path) {
    return send(method, path, HttpRequest.BodyPublishers.noBody());
  }

  /** Any method with a body; the path goes out as it is. */
  public HttpResponse<String> send(String method, String path, byte[] body) {
    return send(method, path, HttpRequest.BodyPublishers.ofByteArray(body));
  }

  private HttpResponse<String> send(
      String method, String path, HttpRequest.BodyPublisher publisher) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + path))
            .timeout(Duration.ofSeconds(20))
            .method(method, publisher);
    headers.forEach(request::header);
    try {
      return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(method + " " + path, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The body of an answer. */
  public static JsonNode json(HttpResponse<String> answer) {
    try {
      return new ObjectMapper().readTree(answer.body());
    } catch (IOException e) {
      throw new UncheckedIOException(answer.body(), e);
    }
  }
}
