package dev.caravan.outbox.webhook;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookSigningException;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Signs as Standard Webhooks has it for symmetric secrets (v1: HMAC-SHA256). Each tenant has
 * secrets of its own: whoever can verify could also forge.
 */
public final class WebhookSigner {

  private static final String PREFIX = "whsec_";
  private static final int MIN_BYTES = 24;
  private static final int MAX_BYTES = 64;

  private final Map<String, List<Webhook>> secrets;

  /**
   * @param secrets by tenant: {@code whsec_} and 24 to 64 bytes as base64; several of them while
   *     receivers change from one to the other; none for no signature
   * @throws CaravanException CONFIG_INVALID, without the secret
   */
  public WebhookSigner(Map<String, List<String>> secrets) {
    this.secrets =
        secrets.entrySet().stream()
            .collect(
                Collectors.toMap(
                    Map.Entry::getKey,
                    tenant -> tenant.getValue().stream().map(s -> new Webhook(bytes(s))).toList()));
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

  /** One signature for each secret, a space between them; empty when the tenant has no secret. */
  String sign(String tenant, String id, long timestamp, String body) {
    return secrets.getOrDefault(tenant, List.of()).stream()
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
