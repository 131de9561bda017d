package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.failure.FailureCode;

/**
 * Which answers are a failure, and which one. All that a rule names has to fit; the first rule that
 * fits counts. Whether a job is tried again follows from the code.
 *
 * @param status a number, or a text such as 4xx; null for any
 * @param json whether the body is JSON; null for both
 * @param at JSON pointer of a value that is there, and not null, false, 0 or empty; null for any
 * @param contains what that value contains as a text, or the body; null for any
 * @param code why such an answer is a failure
 */
record AnswerRule(JsonNode status, Boolean json, String at, String contains, FailureCode code) {

  /** An answer that says what went wrong. */
  static AnswerRule error(String at) {
    return new AnswerRule(null, null, at, null, FailureCode.SOURCE_REFUSED);
  }

  /**
   * Whether it fits.
   *
   * @param body the value of {@link #at()}, or the body as a text when there is no such key; a
   *     missing node when it is not known
   */
  boolean fits(int answered, boolean isJson, JsonNode body) {
    return (status == null || hasStatus(answered))
        && (json == null || json == isJson)
        && (at == null || says(body))
        && (contains == null || text(body).contains(contains));
  }

  private boolean hasStatus(int answered) {
    String wanted = status.asText();
    return wanted.endsWith("xx")
        ? answered / 100 == wanted.charAt(0) - '0'
        : answered == status.asInt();
  }

  /** A source that has nothing to complain of may well say so. */
  private static boolean says(JsonNode value) {
    return switch (value.getNodeType()) {
      case MISSING, NULL -> false;
      case BOOLEAN -> value.booleanValue();
      case NUMBER -> value.decimalValue().signum() != 0;
      case ARRAY, OBJECT -> !value.isEmpty();
      default -> !value.asText().isBlank();
    };
  }

  static String text(JsonNode value) {
    return value.isValueNode() ? value.asText() : value.toString();
  }
}
