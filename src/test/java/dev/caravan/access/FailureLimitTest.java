package dev.caravan.access;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FailureLimitTest {

  private final FailureLimit limit = new FailureLimit();

  @Test
  void theEleventhFailureOfAnAddressHasToWait() {
    for (int i = 0; i < 10; i++) {
      assertThat(limit.failed("10.0.0.1", "wrong" + i)).isEmpty();
    }
    assertThat(limit.failed("10.0.0.1", "wrong")).isPresent();
    assertThat(limit.failed("10.0.0.2", "wrong")).isEmpty();
  }

  @Test
  void theEleventhFailureForAPrefixHasToWaitFromAnyAddress() {
    String prefix = "cvn_abcdefghijkl_";
    for (int i = 0; i < 10; i++) {
      assertThat(limit.failed("10.0.1." + i, prefix + "A".repeat(42) + i)).isEmpty();
    }
    assertThat(limit.failed("10.0.1.99", prefix + "B".repeat(43))).isPresent();
    assertThat(limit.failed("10.0.1.99", prefix.replace("abc", "bcd") + "B".repeat(43))).isEmpty();
  }

  @Test
  void anAddressThatFailsAllTheTimeHasFewLookUps() {
    for (int i = 0; i < 100; i++) {
      assertThat(limit.mayLookUp("10.0.0.3")).isTrue();
    }
    for (int i = 0; i < 11; i++) {
      assertThat(limit.failed("10.0.0.3", "wrong" + i)).isNotNull();
    }
    int lookedUp = 0;
    for (int i = 0; i < 10_000; i++) {
      lookedUp += limit.mayLookUp("10.0.0.3") ? 1 : 0;
    }
    assertThat(lookedUp).isBetween(1, 500);
    assertThat(limit.mayLookUp("10.0.0.4")).isTrue();
  }
}
