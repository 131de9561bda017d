package dev.caravan.outbox.webhook;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.routing.RoutingSupport;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.util.Timeout;

/**
 * Posts to addresses that the rules allow: no redirects, no proxies, no cookies, no connection used
 * twice, two at once to one host, an end whatever the receiver does.
 */
final class CallbackClient implements AutoCloseable {

  private static final Timeout CONNECT_TIMEOUT = Timeout.ofSeconds(5);
  private static final Timeout WAIT_FOR_NOBODY = Timeout.ofMilliseconds(1); // 0 is for ever
  private static final int AT_ONCE_PER_HOST = 2;
  private static final int AT_ONCE = 1_000; // more than there are threads
  private static final int READ_OF_BODY = 4_096;

  private final ExecutorService exchanges =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, "caravan-webhook");
            thread.setDaemon(true);
            return thread;
          });
  private final CloseableHttpClient http;
  private final Duration limit;

  /**
   * @param limit of the whole exchange, from the look-up of the name on
   */
  CallbackClient(CallbackUrls urls, String userAgent, Duration limit) {
    this.limit = limit;
    http =
        HttpClients.custom()
            .setConnectionManager(
                PoolingHttpClientConnectionManagerBuilder.create()
                    .setDnsResolver(new CheckedNames(urls))
                    .setDefaultConnectionConfig(
                        ConnectionConfig.custom().setConnectTimeout(CONNECT_TIMEOUT).build())
                    .setMaxConnPerRoute(AT_ONCE_PER_HOST)
                    .setMaxConnTotal(AT_ONCE)
                    .build())
            .setDefaultRequestConfig(
                RequestConfig.custom()
                    .setConnectionRequestTimeout(WAIT_FOR_NOBODY)
                    .setProtocolUpgradeEnabled(false)
                    .build())
            .setConnectionReuseStrategy((request, response, context) -> false)
            .setUserAgent(userAgent)
            .disableRedirectHandling()
            .disableAutomaticRetries()
            .disableCookieManagement()
            .disableAuthCaching()
            .disableContentCompression()
            .build();
  }

  /**
   * Sends the request once.
   *
   * @throws TimeoutException when the limit is over
   */
  Answer post(HttpPost request) throws IOException, TimeoutException, InterruptedException {
    Future<Answer> answer = exchanges.submit(() -> exchange(request));
    try {
      return answer.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw e.getCause() instanceof IOException known ? known : new IOException(e.getCause());
    } finally {
      request.cancel(); // closes the connection, whatever comes over it still
    }
  }

  /**
   * The response is not closed, which would read it to its end: cancelling closes the connection.
   */
  private Answer exchange(HttpPost request) throws IOException, HttpException {
    ClassicHttpResponse response =
        http.executeOpen(RoutingSupport.determineHost(request), request, null);
    return new Answer(
        response.getCode(),
        header(response, HttpHeaders.CONTENT_TYPE),
        header(response, HttpHeaders.RETRY_AFTER),
        response.getCode() == 409 ? beginning(response.getEntity()) : "");
  }

  private static String header(ClassicHttpResponse response, String name) {
    Header header = response.getFirstHeader(name);
    return header == null || header.getValue() == null ? "" : header.getValue().strip();
  }

  private static String beginning(HttpEntity entity) throws IOException {
    return entity == null
        ? ""
        : new String(entity.getContent().readNBytes(READ_OF_BODY), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    exchanges.shutdownNow();
    http.close();
  }

  /** What a connection goes to is what was checked, in one look-up. */
  private record CheckedNames(CallbackUrls urls) implements DnsResolver {

    @Override
    public List<InetSocketAddress> resolve(String host, int port) throws UnknownHostException {
      return urls.addresses(host, port);
    }

    @Override
    public InetAddress[] resolve(String host) {
      throw new UnsupportedOperationException("the port must be checked, too");
    }

    @Override
    public String resolveCanonicalHostname(String host) {
      return host;
    }
  }
}
