package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.source.http.HttpConfig.Limits;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.NameValuePair;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.http.io.entity.HttpEntities;
import org.apache.hc.core5.http.message.BasicNameValuePair;
import org.apache.hc.core5.util.Timeout;

/** Sends requests within the limits of a source, signed, and not more often than it allows. */
final class HttpCalls implements Closeable, OAuthToken.Endpoint {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Timeout CONNECT = Timeout.ofSeconds(10);
  private static final int AT_ONCE = 8;
  private static final int MAX_SMALL_BYTES = 64 * 1024;
  private static final int UNAUTHORIZED = 401;

  /** When the next request may leave, by server; in nanoseconds of this process. */
  private static final Map<String, Long> NEXT = new ConcurrentHashMap<>();

  private final String source;
  private final long nanosBetween;
  private final CloseableHttpClient client;

  HttpCalls(String source, Limits limits, Integer perMinute) {
    this.source = source;
    this.nanosBetween = perMinute == null ? 0 : 60_000_000_000L / perMinute;
    HttpLimits http = new HttpLimits();
    http.setMaxBytes(limits.bytes());
    http.setDeadlineSeconds(limits.seconds());
    Timeout silence = Timeout.ofSeconds(limits.silence());
    HttpClientBuilder builder =
        HttpClients.custom()
            .setUserAgent("Caravan")
            .setDefaultRequestConfig(RequestConfig.custom().setResponseTimeout(silence).build())
            .setConnectionManager(
                PoolingHttpClientConnectionManagerBuilder.create()
                    .setMaxConnTotal(AT_ONCE)
                    .setMaxConnPerRoute(AT_ONCE)
                    .setDefaultConnectionConfig(
                        ConnectionConfig.custom()
                            .setConnectTimeout(CONNECT)
                            .setSocketTimeout(silence)
                            .build())
                    .setDefaultSocketConfig(SocketConfig.custom().setSoTimeout(silence).build())
                    .build());
    http.configureHttpClient(builder);
    this.client = builder.build();
  }

  /**
   * The answer, of any status; the caller closes it. A request that is not accepted is sent once
   * more when the credential could be renewed.
   *
   * @param headers without those of the credential
   * @param body can be sent more than once; null for none
   */
  ClassicHttpResponse send(
      String method,
      URI uri,
      Map<String, String> headers,
      HttpEntity body,
      Authentication authentication)
      throws IOException {
    ClassicHttpResponse answer = sendOnce(method, uri, headers, body, authentication);
    if (answer.getCode() == UNAUTHORIZED && authentication.renew()) {
      answer.close();
      answer = sendOnce(method, uri, headers, body, authentication);
    }
    return answer;
  }

  private ClassicHttpResponse sendOnce(
      String method,
      URI uri,
      Map<String, String> headers,
      HttpEntity body,
      Authentication authentication)
      throws IOException {
    HttpUriRequestBase request = new HttpUriRequestBase(method, uri);
    headers.forEach(request::setHeader);
    authentication.sign(request);
    if (body != null) {
      request.setEntity(body);
    }
    await(Paging.origin(uri));
    return client.executeOpen(null, request, null);
  }

  /** Requests of all sources of this process to one server, one after the other in its rhythm. */
  private void await(String server) {
    if (nanosBetween == 0) {
      return;
    }
    long now = System.nanoTime();
    long next = NEXT.merge(server, now, (last, t) -> Math.max(last + nanosBetween, t));
    try {
      Thread.sleep(Math.max(0, next - now) / 1_000_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CaravanException(FailureCode.INTERRUPTED, source + ": the job was stopped.", e);
    }
  }

  @Override
  public JsonNode ask(String url, Map<String, String> form) {
    List<NameValuePair> fields = new ArrayList<>();
    form.forEach((name, value) -> fields.add(new BasicNameValuePair(name, value)));
    HttpUriRequestBase request = new HttpUriRequestBase("POST", URI.create(url));
    request.setHeader("Accept", "application/json");
    request.setEntity(HttpEntities.createUrlEncoded(fields, StandardCharsets.UTF_8));
    try (ClassicHttpResponse answer = client.executeOpen(null, request, null)) {
      int status = answer.getCode();
      if (status == 400 || status == UNAUTHORIZED || status == 403) {
        throw new CaravanException(
            FailureCode.AUTH_FAILED,
            "%s: the token endpoint does not accept us (HTTP %d); check client id, secret and scope."
                .formatted(source, status));
      }
      if (status != 200) {
        throw new CaravanException(
            HttpStatus.code(status),
            "%s: the token endpoint: %s (HTTP %d)."
                .formatted(source, HttpStatus.meaning(status), status));
      }
      return json(small(answer));
    } catch (IOException e) {
      throw unchecked(new HttpFailure(source + ": the token endpoint").of(e));
    }
  }

  static RuntimeException unchecked(Exception e) {
    return e instanceof RuntimeException known ? known : new IllegalStateException(e);
  }

  /** The start of an answer that is no page of records; the rest is not read. */
  static byte[] small(ClassicHttpResponse answer) throws IOException {
    HttpEntity entity = answer.getEntity();
    if (entity == null) {
      return new byte[0];
    }
    try (InputStream in = entity.getContent()) {
      return in.readNBytes(MAX_SMALL_BYTES);
    }
  }

  /** The document; a missing node when it is none of JSON. */
  static JsonNode json(byte[] text) {
    try {
      JsonNode tree = JSON.readTree(text);
      return tree == null ? MissingNode.getInstance() : tree;
    } catch (IOException e) {
      return MissingNode.getInstance();
    }
  }

  @Override
  public void close() throws IOException {
    client.close();
  }
}
