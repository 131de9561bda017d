package dev.caravan.source.tableau;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Tableau as far as it was recorded: sign-in with a connected app, query-datasource over generated
 * flights, sign-out. A test can put any other answer in front of the next queries.
 */
final class TableauServer implements AutoCloseable {

  static final String CLIENT_ID = "5a2b7c1e-client";
  static final String SECRET_ID = "9f00aa12-secret-id";
  static final String SECRET_VALUE = "kT3pQ9sV2xY5zB8eH1jL4nR7uW0aD6gF3iK9mP2oS5Q=";
  static final String USERNAME = "carbon@example.org";
  static final String SITE = "epfl";
  static final String DATASOURCE = "1f2f3e4d-flights";

  static final String SIGN_IN = "/api/3.24/auth/signin";
  static final String SIGN_OUT = "/api/3.24/auth/signout";
  static final String QUERY = "/api/v1/vizql-data-service/query-datasource";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long MAX_LIFETIME_SECONDS = 600;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Set<String> usedTokens = new HashSet<>();
  private final Set<String> sessions = new HashSet<>();
  private final Deque<HttpHandler> nextQueries = new ArrayDeque<>();
  private volatile Flights flights;
  volatile boolean hangsUpOnSignOut;

  /** Everything that was asked: queries, and the paths of all calls in their order. */
  final List<JsonNode> queries = new CopyOnWriteArrayList<>();

  final List<String> calls = new CopyOnWriteArrayList<>();
  final List<String> tokens = new CopyOnWriteArrayList<>();

  /** Names of the request headers of all calls, in lower case. */
  final Set<String> headers = java.util.concurrent.ConcurrentHashMap.newKeySet();

  private TableauServer(HttpServer server, Flights flights) {
    this.server = server;
    this.flights = flights;
  }

  static TableauServer start(Flights flights) {
    try {
      return start(
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0),
          flights);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  static TableauServer start(HttpServer http, Flights flights) {
    TableauServer server = new TableauServer(http, flights);
    http.createContext("/", server::handle);
    http.setExecutor(server.threads);
    http.start();
    return server;
  }

  int port() {
    return server.getAddress().getPort();
  }

  String url() {
    return "http://127.0.0.1:" + port();
  }

  void serve(Flights other) {
    flights = other;
  }

  /** The next query that nothing was put in front of yet gets this answer. */
  void nextQuery(HttpHandler answer) {
    nextQueries.add(answer);
  }

  void nextQuery(int status, String body) {
    nextQuery(exchange -> answer(exchange, status, body));
  }

  /** An error as the VizQL Data Service writes it. */
  void nextError(String code, String message) {
    nextQuery(
        Integer.parseInt(code.substring(0, 3)),
        JSON.createObjectNode()
            .put("errorCode", code)
            .put("message", message)
            .put("datetime", "2025-11-24T10:00:00.000Z")
            .put("tab-error-code", code)
            .toString());
  }

  int count(String path) {
    return (int) calls.stream().filter(path::equals).count();
  }

  int openSessions() {
    return sessions.size();
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    calls.add(path);
    exchange
        .getRequestHeaders()
        .keySet()
        .forEach(h -> headers.add(h.toLowerCase(java.util.Locale.ROOT)));
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      if (!exchange.getRequestMethod().equals("POST")) {
        answer(exchange, 405, "");
      } else if (path.equals(SIGN_IN)) {
        signIn(exchange, body);
      } else if (path.equals(SIGN_OUT)) {
        sessions.remove(exchange.getRequestHeaders().getFirst("X-Tableau-Auth"));
        if (!hangsUpOnSignOut) {
          exchange.sendResponseHeaders(204, -1);
        }
      } else if (path.equals(QUERY)) {
        query(exchange, body);
      } else {
        error(exchange, 404, "404950", "API endpoint not found");
      }
    }
  }

  private void signIn(HttpExchange exchange, byte[] body) throws IOException {
    if (!"application/json".equals(exchange.getRequestHeaders().getFirst("Accept"))) {
      answer(exchange, 200, "<tsResponse/>"); // what Tableau does without Accept
      return;
    }
    JsonNode credentials = JSON.readTree(body).path("credentials");
    boolean known = credentials.path("site").path("contentUrl").asText().equals(SITE);
    if (!known || !isValid(credentials.path("jwt").asText())) {
      answer(
          exchange,
          401,
          """
          {"error":{"summary":"Signin Error","detail":"Error signing in to Tableau Server","code":"401001"}}""");
      return;
    }
    String token = UUID.randomUUID() + "|" + UUID.randomUUID() + "|" + UUID.randomUUID();
    sessions.add(token);
    tokens.add(token);
    answer(
        exchange,
        200,
        """
        {"credentials":{"site":{"id":"a8","contentUrl":"epfl"},"user":{"id":"b9"},"token":"%s",
        "estimatedTimeToExpiration":"177:05:38"}}"""
            .formatted(token));
  }

  /** All that Tableau checks of a token of a connected app. */
  private boolean isValid(String text) {
    try {
      SignedJWT jwt = SignedJWT.parse(text);
      JWTClaimsSet claims = jwt.getJWTClaimsSet();
      tokens.add(text);
      long now = Instant.now().getEpochSecond();
      long expires = claims.getExpirationTime().toInstant().getEpochSecond();
      return jwt.verify(new MACVerifier(SECRET_VALUE))
          && jwt.getHeader().getAlgorithm().getName().equals("HS256")
          && "JWT".equals(jwt.getHeader().getType().getType())
          && SECRET_ID.equals(jwt.getHeader().getKeyID())
          && CLIENT_ID.equals(jwt.getHeader().getCustomParam("iss"))
          && CLIENT_ID.equals(claims.getIssuer())
          && claims.getAudience().equals(List.of("tableau"))
          && USERNAME.equals(claims.getSubject())
          && claims.getClaim("scp").equals(List.of("tableau:viz_data_service:read"))
          && claims.getIssueTime().toInstant().getEpochSecond() <= now
          && expires > now
          && expires <= now + MAX_LIFETIME_SECONDS
          && usedTokens.add(claims.getJWTID());
    } catch (ParseException | JOSEException | RuntimeException e) {
      return false;
    }
  }

  private void query(HttpExchange exchange, byte[] body) throws IOException {
    JsonNode query = JSON.readTree(body);
    queries.add(query);
    HttpHandler other = nextQueries.poll();
    if (other != null) {
      other.handle(exchange);
    } else if (!sessions.contains(exchange.getRequestHeaders().getFirst("X-Tableau-Auth"))) {
      error(exchange, 401, "401002", "Invalid authorization credentials");
    } else if (!query.path("datasource").path("datasourceLuid").asText().equals(DATASOURCE)) {
      error(exchange, 404, "404934", "no such data source");
    } else {
      send(exchange, query.path("query"));
    }
  }

  private void send(HttpExchange exchange, JsonNode query) throws IOException {
    List<String> fields = new ArrayList<>();
    query.path("fields").forEach(f -> fields.add(f.path("fieldCaption").asText()));
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, 0);
    try (JsonGenerator out = JSON.createGenerator(exchange.getResponseBody())) {
      out.writeStartObject();
      out.writeArrayFieldStart("data");
      for (int i = 0; i < flights.total(); i++) {
        Map<String, Object> flight = flights.flight(i);
        if (matches(flight, query.path("filters"))) {
          out.writeStartObject();
          for (String field : fields) {
            out.writePOJOField(field, flight.get(field));
          }
          out.writeEndObject();
        }
      }
      out.writeEndArray();
      out.writeEndObject();
    }
  }

  private static boolean matches(Map<String, Object> flight, JsonNode filters) {
    for (JsonNode filter : filters) {
      String value = String.valueOf(flight.get(filter.path("field").path("fieldCaption").asText()));
      boolean fits =
          switch (filter.path("filterType").asText()) {
            case "MATCH" -> value.startsWith(filter.path("startsWith").asText());
            case "SET" -> {
              List<String> wanted = new ArrayList<>();
              filter.path("values").forEach(v -> wanted.add(v.asText()));
              yield wanted.contains(value);
            }
            default -> throw new IllegalStateException("not recorded: " + filter);
          };
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  private static void error(HttpExchange exchange, int status, String code, String message)
      throws IOException {
    answer(
        exchange,
        status,
        """
        {"errorCode":"%s","message":"%s","datetime":"2025-11-24T10:00:00.000Z","tab-error-code":"%s"}"""
            .formatted(code, message, code));
  }

  static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    if (!exchange.getResponseHeaders().containsKey("Content-Type")) {
      exchange.getResponseHeaders().add("Content-Type", "application/json");
    }
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      try (OutputStream out = exchange.getResponseBody()) {
        out.write(bytes);
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
