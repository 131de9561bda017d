package dev.caravan.job.camel;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Route step in the {@code doCatch} around a load: the load has failed, and the other loads of the
 * job go on. What is not about this load alone ends the attempt all the same.
 */
public final class FailedLoad implements Processor {

  @Override
  public void process(Exchange exchange) throws Exception {
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    JobLoads.of(exchange).failed(exchange, cause);
    exchange.removeProperty(Exchange.EXCEPTION_CAUGHT);
  }
}
