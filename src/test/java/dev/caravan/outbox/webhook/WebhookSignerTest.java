package dev.caravan.outbox.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import java.util.List;
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

  @Test
  void signsAsTheReferenceDoes() {
    assertThat(new WebhookSigner(List.of(SECRET)).sign(ID, TIMESTAMP, BODY)).isEqualTo(SIGNATURE);
  }

  @Test
  void signsWithEachSecretWhileReceiversChange() {
    String other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    String signatures = new WebhookSigner(List.of(other, SECRET)).sign(ID, TIMESTAMP, BODY);
    assertThat(signatures.split(" ")).hasSize(2).endsWith(SIGNATURE).doesNotHaveDuplicates();
  }

  @Test
  void signsNothingWithoutASecret() {
    assertThat(new WebhookSigner(List.of()).sign(ID, TIMESTAMP, BODY)).isEmpty();
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
    assertThatThrownBy(() -> new WebhookSigner(List.of(secret)))
        .isInstanceOf(CaravanException.class)
        .hasMessageContaining("24 to 64")
        .message()
        .doesNotContain(secret.length() > 6 ? secret.substring(6) : "x!");
  }
}
