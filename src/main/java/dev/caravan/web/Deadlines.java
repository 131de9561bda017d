package dev.caravan.web;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Closes a connection whose next request head has not come in time, however slowly it drips; an
 * idle timeout would see bytes and wait. The time that a call takes is not limited.
 */
final class Deadlines {

  private final Vertx vertx;
  private final long millis;
  private final Map<HttpConnection, Long> timers = new ConcurrentHashMap<>();

  Deadlines(Vertx vertx, Duration head) {
    this.vertx = vertx;
    this.millis = head.toMillis();
  }

  void connected(HttpConnection connection) {
    arm(connection);
    connection.closeHandler(closed -> disarm(connection));
  }

  void requested(HttpServerRequest request) {
    disarm(request.connection());
    request.response().endHandler(ended -> arm(request.connection()));
  }

  private void arm(HttpConnection connection) {
    disarm(connection);
    timers.put(connection, vertx.setTimer(millis, fired -> connection.close()));
  }

  private void disarm(HttpConnection connection) {
    Long timer = timers.remove(connection);
    if (timer != null) {
      vertx.cancelTimer(timer);
    }
  }
}
