package dev.caravan.web;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.List;
import java.util.Locale;

/**
 * How every call says no (RFC 9457). The texts are ours; of the caller's text it repeats the names
 * of unknown keys at the most.
 */
record Problem(ProblemCode code, String detail, List<Violation> errors) {

  /** More than that helps nobody, and an answer has a size. */
  static final int MAX_ERRORS = 100;

  static final String CONTENT_TYPE = "application/problem+json";

  /**
   * One broken rule.
   *
   * @param in body, query, header or path
   * @param at a JSON pointer into the body, or the name of a parameter
   */
  record Violation(String in, String at, String detail) {}

  /** Keeps the first errors. */
  Problem {
    if (errors.size() > MAX_ERRORS) {
      detail += " These are the first %d of %d mistakes.".formatted(MAX_ERRORS, errors.size());
    }
    errors = errors.stream().limit(MAX_ERRORS).toList();
  }

  Problem(ProblemCode code, String detail) {
    this(code, detail, List.of());
  }

  String json() {
    ObjectNode problem = new ObjectMapper().createObjectNode();
    problem.put("type", "urn:caravan:problem:" + code.name().toLowerCase(Locale.ROOT));
    problem.put("title", HttpResponseStatus.valueOf(code.status()).reasonPhrase());
    problem.put("status", code.status());
    problem.put("detail", detail);
    problem.put("error_code", code.name());
    ArrayNode list = problem.putArray("errors");
    errors.forEach(
        error ->
            list.addObject()
                .put("in", error.in())
                .put("at", error.at())
                .put("detail", error.detail()));
    return problem.toString();
  }
}
