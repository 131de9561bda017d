package dev.caravan.web;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.access.Caller;
import dev.caravan.failure.CaravanException;
import dev.caravan.job.JobState;
import dev.caravan.job.Launch;
import dev.caravan.setup.HostWaits;
import dev.caravan.setup.RefusedSetup;
import dev.caravan.web.Problem.Violation;
import io.vertx.ext.auth.User;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What all calls have in common: who calls, and how they answer. */
final class Answer {

  private static final Logger LOG = LoggerFactory.getLogger(Answer.class);
  private static final int TOO_MANY = 429;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Empty when there is no such thing, or it is another tenant's. */
  @FunctionalInterface
  interface Query {
    Optional<?> run() throws SQLException;
  }

  private Answer() {}

  /**
   * Who calls, where only callers are let in. The guard put the caller there as an object, which no
   * header of a client can be.
   */
  static Caller caller(Exchange exchange) {
    Object user = exchange.getMessage().getHeader(VertxPlatformHttpConstants.AUTHENTICATED_USER);
    if (user instanceof User known) {
      return (Caller) known.attributes().getValue(Guard.CALLER);
    }
    throw new IllegalStateException("The call did not come through the guard.");
  }

  /** The body of the answer; it is JSON unless the query says otherwise. */
  static Object of(Exchange exchange, Query query) {
    try {
      exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
      Optional<?> body = query.run();
      return body.isPresent() ? body.get() : problem(exchange, RequestCheck.NOT_FOUND);
    } catch (CaravanException e) {
      Problem refusal = refusal(e);
      if (refusal.code().status() == TOO_MANY) {
        exchange.getMessage().setHeader("Retry-After", 10);
      }
      return problem(exchange, refusal);
    } catch (HostWaits.Refused e) {
      exchange.getMessage().setHeader("Retry-After", 10);
      return problem(
          exchange,
          new Problem(
              e.isSilent() ? ProblemCode.SOURCE_UNAVAILABLE : ProblemCode.TOO_MANY_REQUESTS,
              e.getMessage()));
    } catch (SQLException e) {
      LOG.error("The API cannot read the database: {}", e.getMessage());
      exchange.getMessage().setHeader("Retry-After", 5);
      return problem(
          exchange, new Problem(ProblemCode.DB_UNAVAILABLE, "The database does not answer."));
    }
  }

  /** As above, of a query that waits for a server that the tenant named. */
  static Object waiting(Exchange exchange, HostWaits waits, Query query) {
    return blaming(
        exchange,
        () -> of(exchange, () -> waits.<Optional<?>>run(caller(exchange).tenant(), query::run)));
  }

  /**
   * What fails is the tenant's own server, connection or project, and the caller is to know how.
   */
  static Object blaming(Exchange exchange, Supplier<Object> call) {
    try {
      return call.get();
    } catch (CaravanException e) {
      return problem(
          exchange, new Problem(ProblemCode.SOURCE_FAILED, e.code() + ": " + e.getMessage()));
    }
  }

  /** What a call is refused with has the same name in both lists; all else is a defect. */
  private static Problem refusal(CaravanException e) {
    if (e instanceof RefusedSetup setup) {
      return setup.isConflict()
          ? new Problem(ProblemCode.CONFLICT, e.getMessage())
          : new Problem(
              ProblemCode.INVALID,
              "The body breaks rules of this call.",
              setup.findings().stream()
                  .map(finding -> new Violation("body", finding.at(), finding.detail()))
                  .toList());
    }
    return Arrays.stream(ProblemCode.values())
        .filter(code -> code.name().equals(e.code().name()) && code.status() < 500)
        .findFirst()
        .map(code -> new Problem(code, e.getMessage()))
        .orElseThrow(() -> e);
  }

  /** A job has it; there one can look how it goes. */
  static void accepted(Exchange exchange, String location) {
    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 202);
    exchange.getMessage().setHeader("Location", location);
  }

  /** As above of a job that was launched, or found in its place; the body of that answer. */
  static String accepted(
      Exchange exchange, UUID job, Optional<String> state, Launch.Outcome outcome) {
    accepted(exchange, "/api/v1/jobs/" + job);
    return JSON.createObjectNode()
        .put("job_id", job.toString())
        .put("status", state.orElse(JobState.QUEUED.text()))
        .put("outcome", outcome.name().toLowerCase(Locale.ROOT))
        .toString();
  }

  /** Something new is there. */
  static void created(Exchange exchange, String location) {
    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 201);
    exchange.getMessage().setHeader("Location", location);
  }

  /** Something is there no more; the body of that answer. */
  static Optional<String> gone(Exchange exchange) {
    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 204);
    return Optional.of("");
  }

  /** The id in a path, which the document took for one. */
  static UUID id(String text) {
    return UUID.fromString(text);
  }

  /** A refusal, with its status. */
  static String problem(Exchange exchange, Problem problem) {
    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, problem.code().status());
    exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, Problem.CONTENT_TYPE);
    return problem.json();
  }
}
