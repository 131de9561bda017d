package dev.caravan.testing;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;

/** Stands in front of an HTTP server and puts more headers into its answers, spelled as given. */
public final class HeaderProxy implements AutoCloseable {

  private final Vertx vertx = Vertx.vertx();
  private final HttpClient client = vertx.createHttpClient();
  private final int target;
  private final HttpServer server;
  private volatile List<String> names = List.of();

  /**
   * Listens on a free port of 127.0.0.1.
   *
   * @param target the port there of the server
   */
  public HeaderProxy(int target) {
    this.target = target;
    server =
        vertx
            .createHttpServer()
            .requestHandler(this::handle)
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
  }

  /** Where it is. */
  public String url() {
    return "http://127.0.0.1:" + server.actualPort();
  }

  /** All answers from now on have these. */
  public void inject(List<String> others) {
    names = List.copyOf(others);
  }

  private void handle(HttpServerRequest request) {
    request
        .body()
        .compose(
            body ->
                client
                    .request(request.method(), target, "127.0.0.1", request.uri())
                    .compose(forwarded -> forward(request, body, forwarded)))
        .compose(answer -> answer.body().compose(body -> answer(request, answer, body)))
        .onFailure(e -> request.connection().close());
  }

  private static Future<HttpClientResponse> forward(
      HttpServerRequest request, Buffer body, HttpClientRequest forwarded) {
    forwarded.headers().addAll(request.headers());
    return forwarded.send(body);
  }

  private Future<Void> answer(HttpServerRequest request, HttpClientResponse answer, Buffer body) {
    request.response().setStatusCode(answer.statusCode());
    answer.headers().remove("Transfer-Encoding");
    request.response().headers().setAll(answer.headers());
    names.forEach(name -> request.response().putHeader(name, CamelHeaders.MARK));
    return request.response().end(body);
  }

  @Override
  public void close() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
