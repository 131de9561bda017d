package dev.caravan.outbox.webhook;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** An HTTP server on 127.0.0.1 that answers as told, 200 when nothing is left to say. */
final class Receiver implements AutoCloseable {

  /** What came in. */
  record Request(String path, Map<String, List<String>> headers, String body) {
    /** The only value. */
    String header(String name) {
      List<String> values =
          headers.entrySet().stream()
              .filter(e -> e.getKey().equalsIgnoreCase(name))
              .flatMap(e -> e.getValue().stream())
              .toList();
      return values.size() == 1 ? values.get(0) : String.valueOf(values);
    }
  }

  private record Reply(int status, Map<String, String> headers, String body) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Queue<Reply> replies = new ConcurrentLinkedQueue<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger mostAtOnce = new AtomicInteger();
  private volatile CountDownLatch hold = new CountDownLatch(0);

  Receiver() throws IOException {
    this(HttpServer.create());
  }

  Receiver(HttpServer server) throws IOException {
    this.server = server;
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  private void handle(HttpExchange exchange) throws IOException {
    mostAtOnce.accumulateAndGet(running.incrementAndGet(), Math::max);
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      CountDownLatch held = hold;
      Reply reply = replies.poll();
      requests.add(
          new Request(
              exchange.getRequestURI().toString(), Map.copyOf(exchange.getRequestHeaders()), body));
      held.await();
      send(exchange, reply == null ? new Reply(200, Map.of(), "") : reply);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      running.decrementAndGet();
    }
  }

  private static void send(HttpExchange exchange, Reply reply) throws IOException {
    reply.headers().forEach(exchange.getResponseHeaders()::set);
    byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(reply.status(), body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  /** One more answer. */
  Receiver answer(int status, Map<String, String> headers, String body) {
    replies.add(new Reply(status, headers, body));
    return this;
  }

  Receiver answer(int status) {
    return answer(status, Map.of(), "");
  }

  /** Lets requests that come from now on wait. */
  void hold() {
    hold = new CountDownLatch(1);
  }

  /** Answers those that wait; later ones do not. */
  void release() {
    CountDownLatch held = hold;
    hold = new CountDownLatch(0);
    held.countDown();
  }

  List<Request> requests() {
    return requests;
  }

  int running() {
    return running.get();
  }

  int mostAtOnce() {
    return mostAtOnce.get();
  }

  int port() {
    return server.getAddress().getPort();
  }

  String url() {
    return "http://127.0.0.1:" + port() + "/hook?token=t";
  }

  @Override
  public void close() {
    release();
    server.stop(0);
    threads.shutdownNow();
  }
}
