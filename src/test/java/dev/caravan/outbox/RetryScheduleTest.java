package dev.caravan.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class RetryScheduleTest {

  private static final RetrySchedule MOVE =
      RetrySchedule.doubling(Duration.ofSeconds(2), Duration.ofSeconds(60), Duration.ofDays(3));

  @Test
  void doublesUpToTheLongestUntilTheTotal() {
    assertThat(MOVE.pauses().stream().map(Duration::toSeconds).limit(7))
        .containsExactly(2L, 4L, 8L, 16L, 32L, 60L, 60L);
    Duration total = MOVE.pauses().stream().reduce(Duration.ZERO, Duration::plus);
    assertThat(total).isBetween(Duration.ofDays(3), Duration.ofDays(3).plusSeconds(60));
  }

  @RepeatedTest(20)
  void addsALittleAtRandomAndEnds() {
    assertThat(MOVE.pauseAfter(4).orElseThrow())
        .isBetween(Duration.ofSeconds(32), Duration.ofMillis(35_200));
    assertThat(MOVE.pauseAfter(MOVE.pauses().size() - 1)).isPresent();
    assertThat(MOVE.pauseAfter(MOVE.pauses().size())).isEmpty();
  }
}
