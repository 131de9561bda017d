package dev.caravan.source.http;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.Closeable;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Route step behind a call with {@code throwExceptionOnFailure: false}: an answer that is no
 * success becomes a failure with a code. What the server wrote stays unread: it could have any
 * size, and repeat what we sent.
 */
public final class HttpStatus implements Processor {

  /** What a Retry-After can make us wait at the most, if no other limit is set. */
  static final Duration MAX_PAUSE = Duration.ofHours(1);

  private static final Duration DEFAULT_PAUSE = Duration.ofMinutes(1);

  private static final int UNAUTHORIZED = 401;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final int REQUEST_TIMEOUT = 408;
  private static final int TOO_MANY_REQUESTS = 429;

  private final String source;

  /**
   * @param source what messages call it
   */
  public HttpStatus(String source) {
    this.source = source;
  }

  @Override
  public void process(Exchange exchange) throws IOException {
    Message message = exchange.getMessage();
    int status = of(message);
    if (status >= 200 && status < 300) {
      return;
    }
    if (message.getBody() instanceof Closeable answer) {
      answer.close();
    }
    String text = "%s: %s (HTTP %d).".formatted(source, meaning(status), status);
    FailureCode code = code(status);
    throw code == FailureCode.SOURCE_LIMIT
        ? CaravanException.retryAfter(code, text, pause(message, MAX_PAUSE))
        : new CaravanException(code, text);
  }

  /** The status of the last answer; 0 when there is none. */
  public static int of(Message message) {
    return message.getHeader(Exchange.HTTP_RESPONSE_CODE, 0, Integer.class);
  }

  /** What a status that is no success comes to. */
  public static FailureCode code(int status) {
    return switch (status) {
      case UNAUTHORIZED -> FailureCode.AUTH_FAILED;
      case FORBIDDEN -> FailureCode.SOURCE_DENIED;
      case REQUEST_TIMEOUT -> FailureCode.SOURCE_UNAVAILABLE;
      case TOO_MANY_REQUESTS -> FailureCode.SOURCE_LIMIT;
      default -> status >= 500 ? FailureCode.SOURCE_UNAVAILABLE : FailureCode.SOURCE_REFUSED;
    };
  }

  /** The same in words. */
  public static String meaning(int status) {
    if (status >= 300 && status < 400) {
      return "the server sends us elsewhere, where no secret goes; correct its address";
    }
    return switch (status) {
      case UNAUTHORIZED -> "it does not accept us";
      case FORBIDDEN -> "it does not let us";
      case NOT_FOUND -> "there is no such call";
      case REQUEST_TIMEOUT -> "the request took it too long";
      case TOO_MANY_REQUESTS -> "it allows no more requests now";
      default -> status >= 500 ? "it has an error of its own" : "it refuses the request";
    };
  }

  /** How long the answer asks us to wait: Retry-After in seconds or as a date, within limits. */
  public static Duration pause(Message answer, Duration max) {
    return pause(answer.getHeader("Retry-After", "", String.class), ChronoUnit.SECONDS, max);
  }

  /**
   * The same for the text of the header.
   *
   * @param unit what a number in it counts
   */
  static Duration pause(String header, ChronoUnit unit, Duration max) {
    String text = header.strip();
    if (text.matches("[0-9]{10,}")) {
      return max;
    }
    Duration asked = text.matches("[0-9]+") ? Duration.of(Long.parseLong(text), unit) : until(text);
    return asked.compareTo(max) > 0 ? max : asked;
  }

  private static Duration until(String date) {
    try {
      Instant at = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration left = Duration.between(Instant.now(), at);
      return left.isNegative() ? Duration.ZERO : left;
    } catch (DateTimeException e) {
      return DEFAULT_PAUSE; // missing, or no date
    }
  }
}
