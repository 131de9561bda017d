package dev.caravan.sync;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Route step behind a load: fails as often as a test wants. */
public final class FailAfterLoad implements Processor {

  static final AtomicInteger TIMES = new AtomicInteger();

  @Override
  public void process(Exchange exchange) {
    if (TIMES.getAndDecrement() > 0) {
      throw new CaravanException(FailureCode.DB_UNAVAILABLE, "gone after the commit");
    }
  }
}
