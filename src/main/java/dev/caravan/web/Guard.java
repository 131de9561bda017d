package dev.caravan.web;

import dev.caravan.access.Authenticator;
import dev.caravan.access.Caller;
import dev.caravan.access.FailureLimit;
import dev.caravan.access.Role;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.User;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands in front of every request. What the document does not name does not exist; what it names
 * needs a credential, but for the exact paths that are open to anyone; and only what was compared
 * with the document reaches a route.
 */
final class Guard implements Handler<RoutingContext> {

  /** The largest JSON body, in bytes. */
  static final int MAX_JSON = 1024 * 1024;

  /** Where the caller stands among the attributes of the Vert.x user. */
  static final String CALLER = "caravan.caller";

  /** How long a body may take that is read as a whole. */
  private static final long BODY_MILLIS = 30_000;

  /** Where a call that goes on for long finds its credential, to be looked at again. */
  static final String CREDENTIAL = "caravan.credential";

  private static final String OPERATION = "caravan.operation";
  private static final String TIMER = "caravan.timer";

  private static final Logger LOG = LoggerFactory.getLogger(Guard.class);

  /** Of a client's headers a route sees these, and those that the document names for the call. */
  private static final Set<String> KEPT_HEADERS =
      Set.of("host", "content-length", "transfer-encoding", "accept", "expect");

  private final ApiDocument document;
  private final Pages pages;
  private final Authenticator authenticator;
  private final FailureLimit failures;
  private final Handler<RoutingContext> wholeBody =
      BodyHandler.create(false).setBodyLimit(MAX_JSON);

  Guard(ApiDocument document, Pages pages, Authenticator authenticator, FailureLimit failures) {
    this.document = document;
    this.pages = pages;
    this.authenticator = authenticator;
    this.failures = failures;
  }

  @Override
  public void handle(RoutingContext call) {
    if (pages.isOpen(call.request().path())) {
      pages.serve(call); // a browser's stale credential is no reason to refuse it
      return;
    }
    List<Operation> operations = document.at(call.request().path());
    boolean open =
        operations.stream()
            .anyMatch(o -> o.role().isEmpty() && o.method().equals(call.request().method().name()));
    Optional<String> credential = Credential.of(call.request(), pages.has(call.request().path()));
    if (credential.isEmpty()) {
      if (open) {
        admit(call, operations, Optional.empty());
      } else {
        refuse(call, ProblemCode.UNAUTHENTICATED, "A credential is needed: Authorization: Bearer.");
      }
      return;
    }
    String address = call.request().remoteAddress().hostAddress();
    if (authenticator.needsLookUp(credential.get()) && !failures.mayLookUp(address)) {
      refuseCredential(call, credential.get());
      return;
    }
    call.put(CREDENTIAL, credential.get());
    call.request().pause();
    call.vertx()
        .executeBlocking(() -> authenticator.authenticate(credential.get()), false)
        .onComplete(
            done -> {
              if (!isUpgrade(call)) { // which reads from the start
                call.request().resume();
              }
              if (done.failed()) {
                LOG.error("Callers cannot be looked up: {}", done.cause().getMessage());
                call.response().putHeader("Retry-After", "5");
                refuse(call, ProblemCode.DB_UNAVAILABLE, "The database does not answer.");
              } else if (done.result().isEmpty()) {
                refuseCredential(call, credential.get());
              } else {
                admitSafely(call, operations, done.result());
              }
            });
  }

  private static boolean isUpgrade(RoutingContext call) {
    return call.request().headers().contains("Upgrade");
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

  /** Behind a wait the router does not answer for what is thrown. */
  private void admitSafely(
      RoutingContext call, List<Operation> operations, Optional<Caller> caller) {
    try {
      admit(call, operations, caller);
    } catch (RuntimeException e) {
      LOG.error("A call failed before its route", e);
      call.fail(e);
    }
  }

  /** The caller is known, or the path is open. */
  private void admit(RoutingContext call, List<Operation> operations, Optional<Caller> caller) {
    HttpServerRequest request = call.request();
    if (caller.isPresent() && pages.has(request.path())) {
      pages.serve(call);
      return;
    }
    // The router would find //x, /./x and %78 where we compared the path as it was sent.
    if (operations.isEmpty() || !request.path().equals(call.normalizedPath())) {
      refuse(call, RequestCheck.NOT_FOUND);
      return;
    }
    Optional<Operation> operation =
        operations.stream().filter(o -> o.method().equals(request.method().name())).findFirst();
    if (operation.isEmpty()) {
      call.response()
          .putHeader(
              "Allow",
              operations.stream().map(Operation::method).collect(Collectors.joining(", ")));
      refuse(call, ProblemCode.METHOD_NOT_ALLOWED, "The path is right, the method is not.");
      return;
    }
    Optional<Role> needed = operation.get().role();
    if (needed.isPresent() && !caller.orElseThrow().role().covers(needed.get())) {
      refuse(call, ProblemCode.FORBIDDEN, "The call needs the role " + needed.get().text() + ".");
      return;
    }
    caller.ifPresent(known -> introduce(call, known));
    check(call, operation.get());
  }

  /** The only public way to set what Camel hands on as the authenticated user. */
  @SuppressWarnings("deprecation")
  static void introduce(RoutingContext call, Caller caller) {
    call.setUser(user(caller));
  }

  /** The caller as Vert.x and Camel carry it. */
  static User user(Caller caller) {
    return User.create(new JsonObject(), new JsonObject(Map.of(CALLER, caller)));
  }

  private void check(RoutingContext call, Operation operation) {
    Optional<Problem> head = RequestCheck.head(operation, call);
    if (head.isPresent()) {
      refuse(call, head.get());
      return;
    }
    String type = contentType(call.request());
    boolean empty = "0".equals(call.request().getHeader("Content-Length")) || type.isEmpty();
    if (operation.takesBody() && !operation.takes(type) && (operation.bodyRequired() || !empty)) {
      refuse(call, ProblemCode.UNSUPPORTED_MEDIA_TYPE, "The body is of a type that is not taken.");
      return;
    }
    keepOnlyKnownHeaders(call.request(), operation);
    if (operation.jsonBody(type).isPresent()) {
      call.put(OPERATION, operation);
    } else if (operation.takesBody()) {
      call.next(); // its route reads it as a stream
      return;
    }
    if (isUpgrade(call)) {
      call.next();
      return;
    }
    long timer = call.vertx().setTimer(BODY_MILLIS, late -> call.request().connection().close());
    call.put(TIMER, timer);
    call.addEndHandler(ended -> call.vertx().cancelTimer(timer));
    wholeBody.handle(call);
  }

  /** Runs after the guard, when a body was read. */
  static void checkBody(RoutingContext call) {
    Long timer = call.get(TIMER);
    if (timer != null) {
      call.vertx().cancelTimer(timer);
    }
    Operation operation = call.get(OPERATION);
    if (operation != null) {
      byte[] body = call.body().buffer() == null ? new byte[0] : call.body().buffer().getBytes();
      Optional<Problem> problem =
          RequestCheck.body(operation.jsonBody("application/json").orElseThrow(), body);
      if (problem.isPresent()) {
        refuse(call, problem.get());
        return;
      }
    }
    call.next();
  }

  /** The media type in lower case; a charset other than UTF-8 makes it one that nobody takes. */
  private static String contentType(HttpServerRequest request) {
    String header = request.getHeader("Content-Type");
    if (header == null) {
      return "";
    }
    String type = header.toLowerCase(Locale.ROOT).replace(" ", "");
    int end = type.indexOf(';');
    String parameters = end < 0 ? "" : type.substring(end).replace("\"", "");
    return parameters.contains("charset=") && !parameters.contains("charset=utf-8")
        ? type
        : type.substring(0, end < 0 ? type.length() : end);
  }

  /** Camel turns a request's headers into those of its message, some of which steer components. */
  private static void keepOnlyKnownHeaders(HttpServerRequest request, Operation operation) {
    Set<String> kept = new HashSet<>(KEPT_HEADERS);
    if (operation.takesBody()) {
      kept.add("content-type"); // otherwise the fields of a form would become headers, too
    }
    operation.parameters("header").forEach(p -> kept.add(p.name().toLowerCase(Locale.ROOT)));
    Set.copyOf(request.headers().names()).stream()
        .filter(name -> !kept.contains(name.toLowerCase(Locale.ROOT)))
        .forEach(name -> request.headers().remove(name));
  }

  private void refuse(RoutingContext call, ProblemCode code, String detail) {
    if (code == ProblemCode.UNAUTHENTICATED) {
      // A browser asks its user for the pages only: elsewhere it would log in for other sites.
      String scheme = pages.has(call.request().path()) ? "Basic" : "Bearer";
      call.response().putHeader("WWW-Authenticate", scheme + " realm=\"Caravan\"");
    }
    refuse(call, new Problem(code, detail));
  }

  static void refuse(RoutingContext call, Problem problem) {
    if (call.response().ended()) {
      return;
    }
    // What is left of the body is not read.
    if (!call.request().isEnded()) {
      call.response().putHeader("Connection", "close");
    }
    call.response()
        .setStatusCode(problem.code().status())
        .putHeader("Content-Type", Problem.CONTENT_TYPE)
        .end(problem.json());
  }
}
