package dev.caravan.web;

import java.sql.SQLException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What all calls have in common: the ids and limits they take, and how they say no. */
final class Answer {

  private static final Logger LOG = LoggerFactory.getLogger(Answer.class);

  /** Empty when there is no such job. */
  @FunctionalInterface
  interface Query {
    Optional<?> run() throws SQLException;
  }

  private Answer() {}

  /** The body of the answer; it is JSON unless the query says otherwise. */
  static Object of(Exchange exchange, Query query) {
    try {
      exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
      Optional<?> body = query.run();
      return body.isPresent() ? body.get() : notFound(exchange, "There is no such job.");
    } catch (SQLException e) {
      LOG.error("The API cannot read the database: {}", e.getMessage());
      exchange.getMessage().setHeader("Retry-After", 5);
      return problem(exchange, 503, "DB_UNAVAILABLE", "The database does not answer.");
    }
  }

  /** The id; empty when the text is none, so that there is no such job. */
  static Optional<UUID> jobId(String text) {
    return text.matches("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
        ? Optional.of(UUID.fromString(text))
        : Optional.empty();
  }

  /** The number of rows that are asked for; empty when it is not allowed. */
  static OptionalInt limit(String text, int otherwise, int max) {
    if (text == null) {
      return OptionalInt.of(otherwise);
    }
    int limit = text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
    return limit >= 1 && limit <= max ? OptionalInt.of(limit) : OptionalInt.empty();
  }

  static String badLimit(Exchange exchange, int max) {
    return badParameter(exchange, "limit: allowed is a number from 1 to " + max);
  }

  static String badParameter(Exchange exchange, String detail) {
    return problem(exchange, 400, "BAD_PARAMETER", detail);
  }

  static String notFound(Exchange exchange, String detail) {
    return problem(exchange, 404, "NOT_FOUND", detail);
  }

  /**
   * RFC 9457, with the members that contract 5 shows. The detail is ours, never the caller's text.
   */
  private static String problem(Exchange exchange, int status, String code, String detail) {
    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, status);
    exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/problem+json");
    return "{\"status\":%d,\"error_code\":\"%s\",\"detail\":\"%s\"}"
        .formatted(status, code, detail);
  }
}
