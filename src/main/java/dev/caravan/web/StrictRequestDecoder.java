package dev.caravan.web;

import io.netty.handler.codec.http.HttpMessage;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * Refuses a request that has a length and chunks, too. Netty goes by the chunks and drops the
 * length before anybody else sees it; a proxy in front that goes by the length sees other requests
 * than we do (RFC 9112, 6.3). Netty has no option for it.
 */
final class StrictRequestDecoder extends VertxHttpRequestDecoder {

  private StrictRequestDecoder(HttpServerOptions options) {
    super(options);
  }

  /** Takes the place of the decoder of Vert.x, before the first byte is read. */
  static void install(HttpConnection connection, HttpServerOptions options) {
    ((ConnectionBase) connection)
        .channel()
        .pipeline()
        .replace(VertxHttpRequestDecoder.class, "httpDecoder", new StrictRequestDecoder(options));
  }

  @Override
  protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
    throw new IllegalArgumentException("The request has a Content-Length and chunks");
  }
}
