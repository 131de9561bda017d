package dev.caravan.outbox.webhook;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookSigningException;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;

/** Signs as Standard Webhooks has it for symmetric secrets (v1: HMAC-SHA256). */
public final class WebhookSigner {

  private static final String PREFIX = "whsec_";
  private static final int MIN_BYTES = 24;
  private static final int MAX_BYTES = 64;

  private final List<Webhook> secrets;

  /**
   * @param secrets {@code whsec_} and 24 to 64 bytes as base64; several of them while receivers
   *     change from one to the other; none for no signature
   * @throws CaravanException CONFIG_INVALID, without the secret
   */
  public WebhookSigner(List<String> secrets) {
    this.secrets = secrets.stream().map(secret -> new Webhook(bytes(secret))).toList();
  }

  private static byte[] bytes(String secret) {
    try {
      if (secret.startsWith(PREFIX)) {
        byte[] bytes = Base64.getDecoder().decode(secret.substring(PREFIX.length()));
        if (bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES) {
          return bytes;
        }
      }
    } catch (IllegalArgumentException e) {
      // named below, as any other secret that is none
    }
    throw new CaravanException(
        FailureCode.CONFIG_INVALID,
        "allowed is whsec_ and base64 of %d to %d random bytes".formatted(MIN_BYTES, MAX_BYTES));
  }

  /** One signature for each secret, a space between them; empty when there is no secret. */
  String sign(String id, long timestamp, String body) {
    return secrets.stream()
        .map(secret -> sign(secret, id, timestamp, body))
        .collect(Collectors.joining(" "));
  }

  private static String sign(Webhook secret, String id, long timestamp, String body) {
    try {
      return secret.sign(id, timestamp, body);
    } catch (WebhookSigningException e) {
      throw new IllegalStateException(e); // every Java has the algorithm
    }
  }
}
