package dev.caravan.outbox.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.outbox.Outcome;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerTest {

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          200, application/json, '',                                         DONE
          204, '',               '',                                         DONE
          301, text/html,        '',                                         FINAL
          302, '',               '',                                         FINAL
          307, '',               '',                                         FINAL
          400, '',               '',                                         FINAL
          401, '',               '',                                         FINAL
          403, text/plain,       '',                                         FINAL
          404, application/json, '',                                         FINAL
          404, text/html; charset=utf-8, '',                                 RETRY
          408, '',               '',                                         RETRY
          409, application/json, 'The execution "1" is running already.',    SOON
          409, application/json, 'The execution "1" has finished already.',  FINAL
          409, application/json, 'another conflict',                         FINAL
          410, text/html,        '',                                         FINAL
          413, '',               '',                                         FINAL
          425, '',               '',                                         RETRY
          429, '',               '',                                         RETRY
          500, '',               '',                                         RETRY
          503, text/html,        '',                                         RETRY
          599, '',               '',                                         RETRY
          """)
  void saysWhatComesNext(int status, String contentType, String body, Outcome.Kind kind) {
    Outcome outcome = new Answer(status, contentType, "", body).outcome();
    assertThat(outcome.kind()).isEqualTo(kind);
    assertThat(outcome.status()).isEqualTo(status);
    assertThat(outcome.error() == null).isEqualTo(kind == Outcome.Kind.DONE);
  }

  private static Duration pause(String retryAfter) {
    return new Answer(503, "", retryAfter, "").outcome().notBefore();
  }

  @Test
  void waitsAsLongAsItIsAskedToButNotLongerThanAnHour() {
    assertThat(pause("120")).isEqualTo(Duration.ofMinutes(2));
    assertThat(pause("999999999")).isEqualTo(Duration.ofHours(1));
    assertThat(pause("")).isZero();
    assertThat(pause("soon")).isZero();
    assertThat(pause("-1")).isZero();
    assertThat(pause("99999999999999999999")).isZero();
    String date =
        ZonedDateTime.now(ZoneOffset.UTC)
            .plusMinutes(10)
            .format(DateTimeFormatter.RFC_1123_DATE_TIME);
    assertThat(pause(date)).isBetween(Duration.ofMinutes(9), Duration.ofMinutes(10));
  }
}
