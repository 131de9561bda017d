package dev.caravan.source.http;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Route step behind {@code doCatch}: throws what was caught as a failure with a code. */
public final class HttpFailure implements Processor {

  private final String source;

  /**
   * @param source what messages call it
   */
  public HttpFailure(String source) {
    this.source = source;
  }

  @Override
  public void process(Exchange exchange) throws Exception {
    throw of(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class));
  }

  /** What was caught as a failure with a code; as it is when it is a defect. */
  Exception of(Exception cause) {
    Optional<CaravanException> known = find(cause, CaravanException.class);
    if (known.isPresent()) {
      return known.get();
    }
    if (find(cause, CertificateException.class).isPresent()
        || find(cause, SSLPeerUnverifiedException.class).isPresent()) {
      return new CaravanException(
          FailureCode.SOURCE_UNTRUSTED,
          "%s: the certificate of the server is not trusted: %s. Nothing was sent; check the address, or give Java the authority that signed it."
              .formatted(source, root(cause)),
          cause);
    }
    if (find(cause, CallNotPermittedException.class).isPresent()) {
      return unavailable("failed too often just now and is left alone for a while", cause);
    }
    if (find(cause, UnknownHostException.class).isPresent()) {
      return unavailable("there is no such host: " + root(cause), cause);
    }
    if (find(cause, SocketTimeoutException.class).isPresent()) {
      return unavailable("no answer within the timeout", cause);
    }
    return find(cause, IOException.class).isPresent()
        ? unavailable("cannot be reached: " + root(cause), cause)
        : cause; // a defect
  }

  private CaravanException unavailable(String what, Exception cause) {
    return new CaravanException(
        FailureCode.SOURCE_UNAVAILABLE, "%s: %s.".formatted(source, what), cause);
  }

  private static String root(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  private static <T extends Throwable> Optional<T> find(Throwable e, Class<T> type) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return Optional.of(type.cast(cause));
      }
    }
    return Optional.empty();
  }
}
