package dev.caravan.web;

import dev.caravan.access.Authenticator;
import dev.caravan.access.FailureLimit;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.jdbc.JobReports;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.handler.CorsHandler;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServerConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server of Camel's {@code platform-http}. It is ours, and not that of {@code
 * camel.server.*}, because the guard is to be the first handler before the first route is added,
 * and because of the limits on slow and large requests.
 */
public final class WebServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(WebServer.class);

  private static final int MAX_HEAD = 16 * 1024;
  private static final int MAX_REQUEST_LINE = 8 * 1024;
  private static final Duration HEAD_DEADLINE = Duration.ofSeconds(30);

  /** These calls stream, and are answered without a route. */
  private static final Set<String> WITHOUT_ROUTE = Set.of("upload", "followJob");

  private final ApiDocument document = ApiDocument.load();
  private static final Pattern BAD_ESCAPE = Pattern.compile("%(?![0-9A-Fa-f]{2})");

  /** Those that wait for servers of tenants have a share of them; see HostWaits. */
  private static final int WORKERS = 48;

  private final Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(WORKERS));
  private final Router router = Router.router(vertx);
  private final String host;
  private final int port;
  private HttpServer server;

  private WebServer(String host, int port) {
    this.host = host;
    this.port = port;
  }

  /**
   * Prepares the server, so that routes of the context can be added to it; nobody can call it yet.
   *
   * @param origins of web pages that may call from a browser; none by default
   */
  public static WebServer create(
      CamelContext context,
      String host,
      int port,
      Set<String> origins,
      Authenticator authenticator,
      UploadsApi uploads,
      JobReports reports) {
    WebServer web = new WebServer(host, port);
    ApiDocument document = web.document;
    web.router.route().handler(WebServer::secureHeaders).failureHandler(WebServer::failed);
    web.router.route().handler(WebServer::refuseOtherCodings);
    web.router.route().handler(WebServer::refuseBadEscapes);
    if (!origins.isEmpty()) {
      web.router.route().handler(cors(origins, document));
    }
    web.router
        .route()
        .handler(new Guard(document, new Pages(document), authenticator, new FailureLimit()));
    web.router.post("/api/v1/uploads").handler(uploads);
    web.router.route().handler(Guard::checkBody);
    web.router.get(JobEvents.PATH).handler(new JobEvents(web.vertx, reports, authenticator));
    Stream.of(404, 405, 406, 415).forEach(code -> web.router.errorHandler(code, WebServer::failed));
    web.bindTo(context);
    return web;
  }

  private void bindTo(CamelContext context) {
    VertxPlatformHttpServerConfiguration configuration = new VertxPlatformHttpServerConfiguration();
    configuration.setBindPort(port);
    context.getRegistry().bind("httpServerConfiguration", configuration);
    String name = VertxPlatformHttpRouter.getRouterNameFromPort(port);
    context
        .getRegistry()
        .bind(
            name,
            new VertxPlatformHttpRouter(null, vertx, router, name) {
              @Override
              public Handler<RoutingContext> bodyHandler() {
                // Forms would become headers of the message.
                return BodyHandler.create(false)
                    .setBodyLimit(Guard.MAX_JSON)
                    .setMergeFormAttributes(false);
              }
            });
  }

  /**
   * The routes of all other calls.
   *
   * @param apis as {@link ApiRoutes} takes them
   */
  public ApiRoutes routes(List<Object> apis) {
    return new ApiRoutes(document, WITHOUT_ROUTE, apis);
  }

  private static CorsHandler cors(Set<String> origins, ApiDocument document) {
    Set<String> headers =
        document.operations().stream()
            .flatMap(operation -> operation.parameters("header").stream())
            .map(Operation.Parameter::name)
            .collect(Collectors.toSet());
    headers.addAll(List.of("Authorization", "X-API-Key", "Content-Type"));
    return CorsHandler.create()
        .addOrigins(List.copyOf(origins))
        .allowedMethods(
            document.operations().stream()
                .map(operation -> io.vertx.core.http.HttpMethod.valueOf(operation.method()))
                .collect(Collectors.toSet()))
        .allowedHeaders(headers)
        .exposedHeaders(Set.of("Location", "Retry-After"));
  }

  static void secureHeaders(RoutingContext call) {
    call.response()
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Referrer-Policy", "no-referrer")
        .putHeader("Cache-Control", "no-store")
        .putHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    call.next();
  }

  /**
   * Netty takes a body as chunked as soon as one of its codings is, also in HTTP/1.0; a proxy in
   * front may see it otherwise (RFC 9112, 6.1).
   */
  private static void refuseOtherCodings(RoutingContext call) {
    List<String> codings = call.request().headers().getAll("Transfer-Encoding");
    if (codings.isEmpty()
        || (codings.size() == 1
            && codings.get(0).equalsIgnoreCase("chunked")
            && call.request().version() == HttpVersion.HTTP_1_1)) {
      call.next();
      return;
    }
    call.addEndHandler(ended -> call.request().connection().close());
    call.response().putHeader("Connection", "close");
    Guard.refuse(
        call,
        new Problem(
            ProblemCode.BAD_REQUEST, "The only Transfer-Encoding is chunked, in HTTP/1.1."));
  }

  /** What decodes the address would throw where nobody answers any more. */
  private static void refuseBadEscapes(RoutingContext call) {
    if (BAD_ESCAPE.matcher(call.request().uri()).find()) {
      Guard.refuse(
          call,
          new Problem(
              ProblemCode.BAD_REQUEST,
              "The address has a % without two hexadecimal digits behind it."));
    } else {
      call.next();
    }
  }

  /** What Vert.x refuses itself, and what fails outside a route. */
  static void failed(RoutingContext call) {
    int status = call.statusCode() < 400 ? 500 : call.statusCode();
    ProblemCode code =
        Arrays.stream(ProblemCode.values())
            .filter(known -> known.status() == status)
            .findFirst()
            .orElse(status < 500 ? ProblemCode.BAD_REQUEST : ProblemCode.INTERNAL);
    if (call.response().headWritten()) {
      // Half an answer must not look like a whole one.
      call.request().connection().close();
    } else {
      Guard.refuse(call, new Problem(code, "The request is not served as it is."));
    }
  }

  /**
   * Listens, once all routes are there.
   *
   * @throws CaravanException CONFIG_INVALID when it cannot
   */
  public void listen() {
    HttpServerOptions options =
        new HttpServerOptions()
            .setHost(host)
            .setPort(port)
            .setMaxHeaderSize(MAX_HEAD)
            .setMaxInitialLineLength(MAX_REQUEST_LINE)
            .setHttp2ClearTextEnabled(false);
    Deadlines deadlines = new Deadlines(vertx, HEAD_DEADLINE);
    server =
        vertx
            .createHttpServer(options)
            .connectionHandler(
                connection -> {
                  StrictRequestDecoder.install(connection, options);
                  deadlines.connected(connection);
                })
            .requestHandler(
                request -> {
                  deadlines.requested(request);
                  router.handle(request);
                });
    try {
      server.listen().toCompletionStage().toCompletableFuture().join();
    } catch (CompletionException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "caravan.http: cannot listen on %s:%d: %s"
              .formatted(host, port, e.getCause().getMessage()),
          e);
    }
  }

  /** Takes no calls any more; waits for none that hangs. */
  @Override
  public void close() {
    try {
      vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("The HTTP server did not stop as it should: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
