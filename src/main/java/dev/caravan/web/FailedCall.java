package dev.caravan.web;

import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers when a route of the API throws: the log has the cause, the caller a problem. */
final class FailedCall {

  private static final Logger LOG = LoggerFactory.getLogger(FailedCall.class);

  /** Never with the exception's text, which may name hosts and values. */
  public String answer(Exchange exchange) {
    Throwable cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    LOG.error("Call {} failed", exchange.getMessage().getHeader(Exchange.HTTP_URI), cause);
    return Answer.problem(
        exchange, new Problem(ProblemCode.INTERNAL, "The call failed; the log has the reason."));
  }
}
