package dev.caravan.web;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/**
 * The document and the two pages that show it. Each file has its exact path; everything comes from
 * the class path, nothing from the network.
 */
final class Pages {

  /** Both pages write styles themselves; no script but ours and theirs runs. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
          + " font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none';"
          + " form-action 'none'";

  private record Page(String type, Buffer content) {}

  private final Map<String, Page> pages = new LinkedHashMap<>();

  Pages(ApiDocument document) {
    pages.put("/openapi.json", new Page("application/json", Buffer.buffer(document.json())));
    add("/docs", "text/html", "/dev/caravan/web/docs.html");
    add("/docs/docs.js", "text/javascript", "/dev/caravan/web/docs.js");
    String swagger = webjar("swagger-ui");
    add("/docs/swagger-ui.css", "text/css", swagger + "swagger-ui.css");
    add("/docs/swagger-ui-bundle.js", "text/javascript", swagger + "swagger-ui-bundle.js");
    add("/redoc", "text/html", "/dev/caravan/web/redoc.html");
    String redoc = webjar("redoc");
    add("/redoc/redoc.standalone.js", "text/javascript", redoc + "redoc.standalone.js");
  }

  private void add(String path, String type, String resource) {
    try (InputStream in = Pages.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException(resource + " is not on the class path");
      }
      pages.put(path, new Page(type + "; charset=utf-8", Buffer.buffer(in.readAllBytes())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder of a web jar, whose name has the version. */
  private static String webjar(String name) {
    String properties = "/META-INF/maven/org.webjars/" + name + "/pom.properties";
    try (InputStream in = Pages.class.getResourceAsStream(properties)) {
      Properties pom = new Properties();
      pom.load(in);
      return "/META-INF/resources/webjars/" + name + "/" + pom.getProperty("version") + "/";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean has(String path) {
    return pages.containsKey(path);
  }

  Set<String> paths() {
    return Set.copyOf(pages.keySet());
  }

  void serve(RoutingContext call) {
    if (!call.request().method().equals(HttpMethod.GET)) {
      call.response().putHeader("Allow", "GET");
      Guard.refuse(
          call,
          new Problem(ProblemCode.METHOD_NOT_ALLOWED, "The path is right, the method is not."));
      return;
    }
    Page page = pages.get(call.request().path());
    call.response()
        .putHeader("Content-Type", page.type())
        .putHeader("Content-Security-Policy", POLICY)
        .end(page.content());
  }
}
