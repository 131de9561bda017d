package dev.caravan.sync;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The source of the walk-through of docs/providers.md; each of the next answers may be another. */
final class CarPark implements AutoCloseable {

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Deque<HttpHandler> next = new ConcurrentLinkedDeque<>();
  final AtomicInteger calls = new AtomicInteger();

  CarPark() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/tickets", this::answer);
    server.setExecutor(threads);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** The next call that has no answer of its own yet gets this one. */
  CarPark then(HttpHandler answer) {
    next.add(answer);
    return this;
  }

  CarPark then(int status, String body) {
    return then(exchange -> send(exchange, status, body));
  }

  /** The usual answer. */
  CarPark thenTickets(int count) {
    return then(200, "{\"tickets\": [" + tickets(count) + "]}");
  }

  /** The first of so many tickets, and the rest when the latch is open. */
  CarPark thenHalf(int count, CountDownLatch rest) {
    return then(
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          OutputStream out = exchange.getResponseBody();
          out.write(("{\"tickets\": [" + tickets(count)).getBytes(StandardCharsets.UTF_8));
          out.flush();
          try {
            rest.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          out.write("]}".getBytes(StandardCharsets.UTF_8));
          exchange.close();
        });
  }

  /** An answer that is cut in the middle. */
  CarPark thenCut(int count) {
    byte[] half = ("{\"tickets\": [" + tickets(count)).getBytes(StandardCharsets.UTF_8);
    return then(
        exchange -> {
          exchange.sendResponseHeaders(200, half.length + 100L);
          exchange.getResponseBody().write(half);
          exchange.getResponseBody().flush();
          exchange.close();
        });
  }

  private static String tickets(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                "{\"Kennzeichen\": \"VD %d\", \"Einfahrt\": \"31.01.2025\", \"Klasse\": \"PKW\", \"Bezahlt\": \"ja\", \"Stunden\": \"1,5\"}"
                    .formatted(i))
        .collect(Collectors.joining(","));
  }

  private void answer(HttpExchange exchange) throws IOException {
    calls.incrementAndGet();
    HttpHandler other = next.poll();
    if (other != null) {
      other.handle(exchange);
    } else {
      send(exchange, 200, "{\"tickets\": [" + tickets(3) + "]}");
    }
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
