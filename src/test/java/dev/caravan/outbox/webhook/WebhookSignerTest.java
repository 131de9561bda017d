package dev.caravan.outbox.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebhookSignerTest {

  // The vector of the reference libraries of Standard Webhooks.
  private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  private static final long TIMESTAMP = 1614265330;
  private static final String BODY = "{\"test\": 2432232314}";
  private static final String SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

  private static String signatures(List<String> secrets) {
    return new WebhookSigner(Map.of("acme", secrets)).sign("acme", ID, TIMESTAMP, BODY);
  }

  @Test
  void signsAsTheReferenceDoes() {
    assertThat(signatures(List.of(SECRET))).isEqualTo(SIGNATURE);
  }

  @Test
  void signsWithEachSecretWhileReceiversChange() {
    String other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assertThat(signatures(List.of(other, SECRET)).split(" "))
        .hasSize(2)
        .endsWith(SIGNATURE)
        .doesNotHaveDuplicates();
  }

  @Test
  void signsNothingWithASecretOfAnotherTenant() {
    WebhookSigner signer = new WebhookSigner(Map.of("acme", List.of(SECRET), "empty", List.of()));
    assertThat(signer.sign("other", ID, TIMESTAMP, BODY)).isEmpty();
    assertThat(signer.sign("empty", ID, TIMESTAMP, BODY)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_no base64!",
        "whsec_c2hvcnQ=",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ="
      })
  void refusesWhatIsNoSecretWithoutShowingIt(String secret) {
    assertThatThrownBy(() -> new WebhookSigner(Map.of("acme", List.of(secret))))
        .isInstanceOf(CaravanException.class)
        .hasMessageContaining("24 to 64")
        .message()
        .doesNotContain(secret.length() > 6 ? secret.substring(6) : "x!");
  }
}
