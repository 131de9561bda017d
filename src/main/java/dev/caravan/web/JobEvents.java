package dev.caravan.web;

import dev.caravan.access.Authenticator;
import dev.caravan.access.Caller;
import dev.caravan.job.jdbc.JobReports;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows a job while it changes, until it ends: as server-sent events, or as messages of a
 * WebSocket when the client asks for one. The job is looked at once a second, on whatever node; a
 * follower costs a query and no thread.
 */
final class JobEvents implements Handler<RoutingContext> {

  /** The call, as the document has it. */
  static final String PATH = "/api/v1/jobs/:job_id/events";

  private static final long LOOK_MILLIS = 1_000;
  private static final int MAX_FOLLOWERS = 500;
  private static final int MAX_OF_TENANT = 100;
  private static final int LOG_LINES = 200;
  private static final short TRY_AGAIN_LATER = 1013;
  private static final Logger LOG = LoggerFactory.getLogger(JobEvents.class);

  private final Vertx vertx;
  private final JobReports reports;
  private final Authenticator authenticator;
  private final Share followers = new Share(MAX_OF_TENANT, MAX_FOLLOWERS);

  JobEvents(Vertx vertx, JobReports reports, Authenticator authenticator) {
    this.authenticator = authenticator;
    this.vertx = vertx;
    this.reports = reports;
  }

  /** Where the events of one follower go. */
  private interface Sink {
    void send(String event, String json);

    void end();

    boolean isFull();
  }

  private static final class EventStream implements Sink {
    private final HttpServerResponse response;

    EventStream(HttpServerResponse response) {
      this.response = response;
    }

    @Override
    public void send(String event, String json) {
      response.write("event: " + event + "\ndata: " + json + "\n\n");
    }

    @Override
    public void end() {
      response.end();
    }

    @Override
    public boolean isFull() {
      return response.writeQueueFull();
    }
  }

  private static final class Messages implements Sink {
    private final ServerWebSocket socket;

    Messages(ServerWebSocket socket) {
      this.socket = socket;
    }

    @Override
    public void send(String event, String json) {
      socket.writeTextMessage("{\"event\":\"" + event + "\",\"data\":" + json + "}");
    }

    @Override
    public void end() {
      socket.close();
    }

    @Override
    public boolean isFull() {
      return socket.writeQueueFull();
    }
  }

  /** What one follower has seen. */
  private final class Follower {
    private final String credential;
    private final String tenant;
    private final UUID job;
    private final Sink sink;
    private String seen = "";
    private long logSeen;
    private boolean looking;
    private long timer;

    Follower(String credential, String tenant, UUID job, Sink sink) {
      this.credential = credential;
      this.tenant = tenant;
      this.job = job;
      this.sink = sink;
    }

    void start() {
      timer = vertx.setPeriodic(1, LOOK_MILLIS, id -> look());
    }

    void stop() {
      vertx.cancelTimer(timer);
      followers.give(tenant);
    }

    /** A follower that is slow misses states in between, but no line of the log. */
    private void look() {
      if (looking || sink.isFull()) {
        return;
      }
      looking = true;
      vertx
          .executeBlocking(this::read, false)
          .onComplete(
              done -> {
                looking = false;
                if (done.succeeded()) {
                  tell(done.result());
                } else {
                  LOG.debug("Job {} cannot be followed now: {}", job, done.cause().getMessage());
                }
              });
    }

    private JsonObject read() throws SQLException {
      Optional<Caller> caller = authenticator.authenticate(credential);
      if (caller.filter(same -> same.tenant().equals(tenant)).isEmpty()) {
        return new JsonObject(); // it was revoked, or has expired
      }
      Optional<String> report = reports.find(tenant, job);
      Optional<String> log = reports.log(tenant, job, logSeen, LOG_LINES);
      return report.isEmpty() || log.isEmpty()
          ? new JsonObject()
          : new JsonObject().put("job", report.get()).put("log", new JsonObject(log.get()));
    }

    private void tell(JsonObject found) {
      if (found.isEmpty()) {
        sink.end(); // job or credential are gone
        return;
      }
      JsonObject log = found.getJsonObject("log");
      log.getJsonArray("lines").forEach(line -> sink.send("log", ((JsonObject) line).encode()));
      logSeen = log.getLong("next");
      String report = found.getString("job");
      boolean news = !report.equals(seen) || !log.getJsonArray("lines").isEmpty();
      if (!report.equals(seen)) {
        seen = report;
        sink.send("job", report);
      }
      // The last lines of the log are written within the second after the end.
      if (!news && new JsonObject(report).getString("completed_at") != null) {
        sink.end();
      }
    }
  }

  @Override
  public void handle(RoutingContext call) {
    Caller caller = (Caller) call.user().attributes().getValue(Guard.CALLER);
    UUID job = UUID.fromString(call.pathParam("job_id"));
    if (call.request().headers().contains("Upgrade")) {
      followBySocket(call, caller.tenant(), job);
      return;
    }
    call.request().pause();
    vertx
        .executeBlocking(() -> reports.state(caller.tenant(), job), false)
        .onComplete(
            done -> {
              call.request().resume();
              if (done.failed()) {
                call.response().putHeader("Retry-After", "5");
                Guard.refuse(
                    call, new Problem(ProblemCode.DB_UNAVAILABLE, "The database does not answer."));
              } else if (done.result().isEmpty()) {
                Guard.refuse(call, RequestCheck.NOT_FOUND);
              } else if (!followers.take(caller.tenant())) {
                call.response().putHeader("Retry-After", "10");
                Guard.refuse(
                    call, new Problem(ProblemCode.TOO_MANY_REQUESTS, "Too many follow jobs."));
              } else {
                followByEvents(call, caller.tenant(), job);
              }
            });
  }

  /** It becomes a socket first: what is wrong is told by its end. An unknown job just ends. */
  private void followBySocket(RoutingContext call, String tenant, UUID job) {
    call.request()
        .toWebSocket()
        .onComplete(
            done -> {
              if (done.failed()) {
                LOG.debug("No WebSocket: {}", done.cause().getMessage());
                return;
              }
              if (!followers.take(tenant)) {
                done.result().close(TRY_AGAIN_LATER);
                return;
              }
              Follower follower =
                  new Follower(
                      call.get(Guard.CREDENTIAL), tenant, job, new Messages(done.result()));
              done.result().closeHandler(closed -> follower.stop());
              follower.start();
            });
  }

  private void followByEvents(RoutingContext call, String tenant, UUID job) {
    call.response().setChunked(true).putHeader("Content-Type", "text/event-stream");
    Follower follower =
        new Follower(call.get(Guard.CREDENTIAL), tenant, job, new EventStream(call.response()));
    call.addEndHandler(ended -> follower.stop());
    follower.start();
  }
}
