package dev.caravan.outbox.webhook;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FaultPoint;
import dev.caravan.outbox.EffectHandler;
import dev.caravan.outbox.Outcome;
import dev.caravan.outbox.RetrySchedule;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;

/** Posts webhooks. The entry's id is their {@code webhook-id}. */
public final class WebhookHandler implements EffectHandler, AutoCloseable {

  /** The schedule that Standard Webhooks proposes: the last attempt is about 75 hours later. */
  private static final RetrySchedule STANDARD =
      new RetrySchedule(
          List.of(
              Duration.ofSeconds(5),
              Duration.ofMinutes(5),
              Duration.ofMinutes(30),
              Duration.ofHours(2),
              Duration.ofHours(5),
              Duration.ofHours(10),
              Duration.ofHours(14),
              Duration.ofHours(20),
              Duration.ofHours(24)));

  private static final Duration LIMIT = Duration.ofSeconds(15);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CallbackUrls urls;
  private final WebhookSigner signer;
  private final RetrySchedule retries;
  private final Duration limit;
  private final CallbackClient client;

  /**
   * @param urls that may be called; asked again for each connection
   */
  public WebhookHandler(CallbackUrls urls, WebhookSigner signer) {
    this(urls, signer, STANDARD, LIMIT);
  }

  WebhookHandler(CallbackUrls urls, WebhookSigner signer, RetrySchedule retries, Duration limit) {
    this.urls = urls;
    this.signer = signer;
    this.retries = retries;
    this.limit = limit;
    String version = WebhookHandler.class.getPackage().getImplementationVersion();
    client =
        new CallbackClient(urls, "Caravan/" + Objects.requireNonNullElse(version, "dev"), limit);
  }

  @Override
  public RetrySchedule retries() {
    return retries;
  }

  @Override
  public Outcome run(UUID id, String payload) throws InterruptedException {
    try {
      Outcome outcome = client.post(request(id, payload)).outcome();
      FaultPoint.hit("K14");
      return outcome;
    } catch (CaravanException e) {
      return Outcome.failed(null, e.getMessage());
    } catch (ConnectionRequestTimeoutException e) {
      return Outcome.busy();
    } catch (TimeoutException e) {
      return Outcome.retry(
          null, "no answer within %d ms".formatted(limit.toMillis()), Duration.ZERO);
    } catch (UnknownHostException e) {
      return Outcome.retry(
          null, "host '%s' has no address".formatted(e.getMessage()), Duration.ZERO);
    } catch (IOException e) {
      return Outcome.retry(null, e.toString(), Duration.ZERO);
    }
  }

  private HttpPost request(UUID id, String payload) throws JsonProcessingException {
    JsonNode json = JSON.readTree(payload);
    String body = json.get("body").toString();
    long timestamp = Instant.now().getEpochSecond();
    HttpPost post = new HttpPost(urls.parse(json.get("url").textValue()));
    post.setHeader("webhook-id", id.toString());
    post.setHeader("webhook-timestamp", String.valueOf(timestamp));
    String signature = signer.sign(json.get("tenant").textValue(), id.toString(), timestamp, body);
    if (!signature.isEmpty()) {
      post.setHeader("webhook-signature", signature);
    }
    // Without a charset, which JSON has none of.
    post.setEntity(
        new ByteArrayEntity(
            body.getBytes(StandardCharsets.UTF_8), ContentType.create("application/json")));
    return post;
  }

  @Override
  public void close() throws IOException {
    client.close();
  }
}
