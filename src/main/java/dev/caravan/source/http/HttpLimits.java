package dev.caravan.source.http;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;

/**
 * For {@code httpClientConfigurer} of a camel-http endpoint: an answer may have so many bytes,
 * after decompression, and take so long; redirects are not followed, cookies not kept, and nothing
 * is repeated behind our back (the client would sleep as long as a Retry-After says).
 */
public final class HttpLimits implements HttpClientConfigurer {

  private long maxBytes = 1L << 30;
  private Duration deadline = Duration.ofMinutes(30);

  /** Bytes of one answer at the most. */
  public void setMaxBytes(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Seconds from the request to the last byte of its answer at the most. */
  public void setDeadlineSeconds(long seconds) {
    this.deadline = Duration.ofSeconds(seconds);
  }

  @Override
  public void configureHttpClient(HttpClientBuilder builder) {
    builder.disableAutomaticRetries();
    builder.disableRedirectHandling();
    builder.disableCookieManagement();
    // Not what else is there: a decoder of xz takes as much memory as the answer says.
    builder.setContentDecoderRegistry(
        new LinkedHashMap<>(Map.of("gzip", GZIPInputStream::new, "x-gzip", GZIPInputStream::new)));
    builder.addExecInterceptorFirst("limits", this::execute); // first: behind decompression
  }

  private ClassicHttpResponse execute(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    long end = System.nanoTime() + deadline.toNanos();
    ClassicHttpResponse response = chain.proceed(request, scope);
    if (response.getEntity() != null) {
      if (response.getEntity().getContentEncoding() == null) {
        response.removeHeaders(HttpHeaders.CONTENT_ENCODING); // else Camel decompresses once more
      }
      response.setEntity(new LimitedEntity(response.getEntity(), scope.execRuntime, end));
    }
    return response;
  }

  /** One stream, always the same: a stream can be read once. */
  private final class LimitedEntity extends HttpEntityWrapper {

    private final ExecRuntime connection;
    private final long end;
    private InputStream content;

    LimitedEntity(HttpEntity entity, ExecRuntime connection, long end) {
      super(entity);
      this.connection = connection;
      this.end = end;
    }

    @Override
    public InputStream getContent() throws IOException {
      if (content == null) {
        content =
            new LimitedStream(
                super.getContent(), maxBytes, deadline, end, connection::discardEndpoint);
      }
      return content;
    }
  }
}
