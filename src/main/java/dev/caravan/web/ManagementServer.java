package dev.caravan.web;

import dev.caravan.access.Authenticator;
import dev.caravan.access.Caller;
import dev.caravan.access.FailureLimit;
import dev.caravan.access.Role;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import io.vertx.core.AsyncResult;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server of those who look after this process, on loopback only and on a thread of its
 * own. Every request needs a credential of the operator's tenant, because what is shown here is of
 * all tenants; without one no path tells whether it exists.
 */
public final class ManagementServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ManagementServer.class);
  private static final String LOOPBACK = "127.0.0.1";
  private static final String PART = "caravan.part";

  private final List<Part> parts;
  private final Authenticator authenticator;
  private final FailureLimit failures = new FailureLimit();
  private final Vertx vertx =
      Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(4));

  /**
   * What is served at a path.
   *
   * @param path exactly this one, or with {@code below} also those under it
   * @param role that a caller needs
   * @param methods others are refused
   */
  public record Part(
      String path, boolean below, Role role, Set<String> methods, Handler<RoutingContext> handler) {

    boolean serves(String requested) {
      return requested.equals(path) || (below && requested.startsWith(path + "/"));
    }
  }

  private ManagementServer(Authenticator authenticator, List<Part> parts) {
    this.authenticator = authenticator;
    this.parts = List.copyOf(parts);
  }

  /**
   * Starts it.
   *
   * @throws CaravanException CONFIG_INVALID when it cannot listen there
   */
  public static ManagementServer listen(int port, Authenticator authenticator, List<Part> parts) {
    ManagementServer server = new ManagementServer(authenticator, parts);
    try {
      server
          .vertx
          .createHttpServer(
              new HttpServerOptions()
                  .setHost(LOOPBACK)
                  .setPort(port)
                  .setIdleTimeout(60)
                  .setHttp2ClearTextEnabled(false)
                  .setCompressionSupported(true))
          .requestHandler(server.router())
          .listen()
          .toCompletionStage()
          .toCompletableFuture()
          .join();
    } catch (CompletionException e) {
      server.close();
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "caravan.management.port: cannot listen on %s:%d: %s"
              .formatted(LOOPBACK, port, e.getCause().getMessage()),
          e);
    }
    return server;
  }

  private Router router() {
    Router router = Router.router(vertx);
    router.route().handler(WebServer::secureHeaders).failureHandler(WebServer::failed);
    router.route().handler(this::authenticate);
    router.route().handler(BodyHandler.create(false).setBodyLimit(Guard.MAX_JSON));
    router.route().handler(call -> call.<Part>get(PART).handler().handle(call));
    return router;
  }

  private void authenticate(RoutingContext call) {
    HttpServerRequest request = call.request();
    Optional<String> credential = Credential.of(request, true);
    if (credential.isEmpty()) {
      refuse(call, ProblemCode.UNAUTHENTICATED, "A credential is needed: Authorization: Bearer.");
      return;
    }
    request.pause();
    call.vertx()
        .executeBlocking(() -> caller(credential.get()), false)
        .onComplete(
            done -> {
              request.resume();
              admit(call, credential.get(), done);
            });
  }

  /** While the database is away, whoever could look before still can. */
  private Optional<Caller> caller(String credential) throws SQLException {
    try {
      return authenticator.authenticate(credential);
    } catch (SQLException e) {
      Optional<Caller> known = authenticator.lastKnown(credential);
      if (known.isEmpty()) {
        throw e;
      }
      return known;
    }
  }

  private void admit(RoutingContext call, String credential, AsyncResult<Optional<Caller>> found) {
    if (found.failed()) {
      LOG.error("Callers cannot be looked up: {}", found.cause().getMessage());
      call.response().putHeader("Retry-After", "5");
      refuse(call, ProblemCode.DB_UNAVAILABLE, "The database does not answer.");
    } else if (found.result().isEmpty()) {
      refuseCredential(call, credential);
    } else {
      enter(call, found.result().get());
    }
  }

  private void refuseCredential(RoutingContext call, String credential) {
    OptionalLong wait = failures.failed(call.request().remoteAddress().hostAddress(), credential);
    if (wait.isPresent()) {
      call.response().putHeader("Retry-After", String.valueOf(wait.getAsLong()));
      refuse(call, ProblemCode.TOO_MANY_REQUESTS, "Too many failed logins; wait, then try again.");
    } else {
      refuse(call, ProblemCode.UNAUTHENTICATED, "The credential is not valid.");
    }
  }

  private void enter(RoutingContext call, Caller caller) {
    String path = call.request().path();
    Optional<Part> part = parts.stream().filter(p -> p.serves(path)).findFirst();
    if (!caller.tenant().equals(JobRequest.OPERATOR)) {
      refuse(call, ProblemCode.FORBIDDEN, "This is for the tenant of the operator.");
    } else if (part.isEmpty() || !path.equals(call.normalizedPath())) {
      Guard.refuse(call, RequestCheck.NOT_FOUND);
    } else if (!caller.role().covers(part.get().role())) {
      String role = part.get().role().text();
      refuse(call, ProblemCode.FORBIDDEN, "The path needs the role " + role + ".");
    } else if (isOfAnotherPage(call.request())) {
      refuse(call, ProblemCode.FORBIDDEN, "Pages of other origins may not call.");
    } else if (!part.get().methods().contains(call.request().method().name())) {
      call.response().putHeader("Allow", String.join(", ", part.get().methods()));
      refuse(call, ProblemCode.METHOD_NOT_ALLOWED, "The path is right, the method is not.");
    } else {
      call.put(PART, part.get());
      call.next();
    }
  }

  /** A browser sends the password that its user gave for this page with other pages' calls, too. */
  private static boolean isOfAnotherPage(HttpServerRequest request) {
    String origin = request.getHeader("Origin");
    return origin != null && !origin.equals("http://" + request.getHeader("Host"));
  }

  private static void refuse(RoutingContext call, ProblemCode code, String detail) {
    if (code == ProblemCode.UNAUTHENTICATED) {
      String scheme = call.request().method().equals(HttpMethod.GET) ? "Basic" : "Bearer";
      call.response().putHeader("WWW-Authenticate", scheme + " realm=\"Caravan\"");
    }
    Guard.refuse(call, new Problem(code, detail));
  }

  /** Answers no more. */
  @Override
  public void close() {
    try {
      vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("The management server did not stop as it should: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
