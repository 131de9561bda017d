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
}
