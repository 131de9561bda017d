package dev.caravan.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkJsonProtoKeysetFormat;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import dev.caravan.failure.CaravanException;
import dev.caravan.secret.Secrets.Place;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SecretsTest {

  private static final Place PLACE = new Place("a", UUID.randomUUID(), "password");

  @Test
  void opensWhatItClosedAndNothingOfItCanBeRead() {
    Secrets secrets = Secrets.of(Secrets.newKey());
    byte[] kept = secrets.encrypt("gehäim", PLACE);
    assertThat(new String(kept, StandardCharsets.UTF_8)).doesNotContain("geh");
    assertThat(secrets.decrypt(kept, PLACE)).isEqualTo("gehäim");
    assertThat(secrets.encrypt("gehäim", PLACE)).isNotEqualTo(kept);
  }

  @Test
  void isNoiseAnywhereElse() {
    Secrets secrets = Secrets.of(Secrets.newKey());
    byte[] kept = secrets.encrypt("x", PLACE);
    for (Place other :
        new Place[] {
          new Place("b", PLACE.owner(), "password"),
          new Place("a", UUID.randomUUID(), "password"),
          new Place("a", PLACE.owner(), "key_passphrase")
        }) {
      assertThatThrownBy(() -> secrets.decrypt(kept, other))
          .isInstanceOf(CaravanException.class)
          .hasMessageContaining("does not open");
    }
  }

  @Test
  void aNewKeyInFrontEncryptsAndTheOldOneStillOpens() {
    String old = Secrets.newKey();
    byte[] kept = Secrets.of(old).encrypt("x", PLACE);
    String newer = Secrets.newKey();
    Secrets both = Secrets.of(newer + ", " + old);
    assertThat(both.decrypt(kept, PLACE)).isEqualTo("x");
    assertThat(Secrets.of(newer).decrypt(both.encrypt("y", PLACE), PLACE)).isEqualTo("y");
    assertThatThrownBy(() -> Secrets.of(newer).decrypt(kept, PLACE))
        .hasMessageMatching(
            "(?s)caravan.secrets.key: the key with the id [0-9a-f]{8} is missing.*");
    assertThatThrownBy(() -> Secrets.none().decrypt(kept, PLACE)).hasMessageContaining("missing");
  }

  @Test
  void takesAKeysetOfTink() throws Exception {
    AeadConfig.register();
    String keyset =
        TinkJsonProtoKeysetFormat.serializeKeyset(
            KeysetHandle.generateNew(
                PredefinedAeadParameters.AES256_GCM, RegistryConfiguration.get()),
            RegistryConfiguration.get(),
            InsecureSecretKeyAccess.get());
    byte[] kept = Secrets.of(keyset).encrypt("x", PLACE);
    assertThat(Secrets.of(keyset).decrypt(kept, PLACE)).isEqualTo("x");
  }

  @Test
  void refusesWhatIsNoKeyWithoutRepeatingIt() {
    for (String wrong :
        new String[] {"c2hvcnQ=", "%%%", "{\"a\":\"c2VjcmV0\"}", "hunter2,hunter2"}) {
      assertThatThrownBy(() -> Secrets.of(wrong))
          .isInstanceOf(CaravanException.class)
          .hasMessageContaining("allowed is a keyset of Tink")
          .hasMessageNotContaining(wrong)
          .hasNoCause();
    }
  }
}
