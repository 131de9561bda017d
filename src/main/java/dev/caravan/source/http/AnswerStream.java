package dev.caravan.source.http;

import java.io.Closeable;
import java.io.IOException;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Two route steps that bring a streamed answer out of a circuit breaker. The breaker runs its steps
 * in an exchange of its own, and camel-http closes the stream when that exchange is done: before
 * anybody has read it.
 */
public final class AnswerStream {

  /** The last step in the breaker: its end no longer closes the stream. */
  public void keepOpen(Exchange exchange) {
    exchange
        .getExchangeExtension()
        .handoverCompletions(new DefaultExchange(exchange.getContext())); // which is never done
  }

  /** The first step behind the breaker: the end of the job closes what was not read to its end. */
  public void closeAtEnd(Exchange exchange) {
    if (exchange.getMessage().getBody() instanceof Closeable answer) {
      exchange
          .getExchangeExtension()
          .addOnCompletion(
              new SynchronizationAdapter() {
                @Override
                public void onDone(Exchange done) {
                  close(answer);
                }
              });
    }
  }

  private static void close(Closeable answer) {
    try {
      answer.close();
    } catch (IOException e) {
      // the connection is gone, which is all that closing was for
    }
  }
}
