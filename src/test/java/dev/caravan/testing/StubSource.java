package dev.caravan.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * An HTTP source that gives the answers it is told to, in their order, and keeps what was asked.
 */
public final class StubSource implements AutoCloseable {

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Deque<HttpHandler> answers = new ConcurrentLinkedDeque<>();
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private volatile HttpHandler usual;

  /**
   * One request.
   *
   * @param target path and query as they came, encoded
   * @param headers by their names in lower case
   */
  public record Call(String method, String target, Map<String, String> headers, String body) {}

  private StubSource(HttpServer server) {
    this.server = server;
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  /** Starts one on this machine; it has no answers yet. */
  public static StubSource start() throws IOException {
    return new StubSource(
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** The next call that has no answer of its own yet gets this one. */
  public StubSource then(HttpHandler answer) {
    answers.add(answer);
    return this;
  }

  /** As above; headers are names and values in turn. */
  public StubSource then(int status, String body, String... headers) {
    return then(exchange -> send(exchange, status, body, headers));
  }

  /** Every call without an answer of its own gets this one. */
  public StubSource always(HttpHandler answer) {
    usual = answer;
    return this;
  }

  private void handle(HttpExchange exchange) throws IOException {
    URI uri = exchange.getRequestURI();
    Map<String, String> headers = new java.util.TreeMap<>();
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> headers.put(name.toLowerCase(java.util.Locale.ROOT), values.get(0)));
    calls.add(
        new Call(
            exchange.getRequestMethod(),
            uri.getRawPath() + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery()),
            headers,
            new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
    HttpHandler answer = answers.isEmpty() ? usual : answers.poll();
    if (answer == null) {
      send(exchange, 500, "no answer is left");
    } else {
      answer.handle(exchange);
    }
  }

  /** Sends an answer whole. */
  public static void send(HttpExchange exchange, int status, String body, String... headers)
      throws IOException {
    for (int i = 0; i < headers.length; i += 2) {
      exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
    }
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /** What was asked so far. */
  public List<Call> calls() {
    return calls;
  }

  /** The paths and queries of it. */
  public List<String> targets() {
    return calls.stream().map(Call::target).toList();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
