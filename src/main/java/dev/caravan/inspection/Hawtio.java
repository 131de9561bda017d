package dev.caravan.inspection;

import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The Hawtio console: its static files out of its jar, and the answers that it expects of a server
 * of its own. It has no login, because the browser has a credential when it gets here.
 */
public final class Hawtio implements Handler<RoutingContext> {

  /** Where it is; its files are made for this path. */
  public static final String PATH = "/hawtio";

  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
          + " font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:;"
          + " frame-ancestors 'none'; base-uri 'self'; form-action 'none'";

  private static final Pattern FILE =
      Pattern.compile("((static/(js|media)|img)/)?[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*[.][a-z0-9]+");

  private static final Map<String, String> ANSWERS =
      Map.of(
          "user", "\"operator\"",
          "plugin", "[]",
          "auth/config", "{}",
          "auth/config/login", "{}",
          "auth/config/session-timeout", "{\"timeout\":-1}",
          "keycloak/enabled", "false",
          "proxy/enabled", "false",
          "preset-connections", "[]");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "json", "application/json",
          "svg", "image/svg+xml",
          "ico", "image/x-icon",
          "ttf", "font/ttf",
          "woff2", "font/woff2",
          "txt", "text/plain; charset=utf-8");

  @Override
  public void handle(RoutingContext call) {
    String path = call.request().path();
    if (path.equals(PATH)) {
      call.redirect(PATH + "/");
      return;
    }
    String name = path.substring(PATH.length() + 1);
    String answer = ANSWERS.get(name);
    if (answer != null) {
      call.response().putHeader("Content-Type", "application/json").end(answer);
      return;
    }
    // Its own addresses, such as camel/routes, are all the one page.
    String file = name.contains(".") ? name : "index.html";
    call.vertx()
        .executeBlocking(() -> read(file), false)
        .onSuccess(content -> serve(call, file, content))
        .onFailure(call::fail);
  }

  private static Optional<Buffer> read(String file) throws IOException {
    if (!FILE.matcher(file).matches() || !TYPES.containsKey(ending(file))) {
      return Optional.empty();
    }
    try (InputStream in = Hawtio.class.getResourceAsStream("/hawtio-static/" + file)) {
      return in == null ? Optional.empty() : Optional.of(Buffer.buffer(in.readAllBytes()));
    }
  }

  private static String ending(String file) {
    return file.substring(file.lastIndexOf('.') + 1);
  }

  private static void serve(RoutingContext call, String file, Optional<Buffer> content) {
    if (content.isEmpty()) {
      call.fail(404);
      return;
    }
    call.response()
        .putHeader("Content-Type", TYPES.get(ending(file)))
        .putHeader("Content-Security-Policy", POLICY)
        .putHeader("Cache-Control", "private, max-age=3600")
        .end(content.get());
  }
}
