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
 * The document, the two pages that show it, and the page of the back office. Each file has its
 * exact path; everything comes from the class path, nothing from the network.
 */
final class Pages {

  /** The pages write styles themselves; no script but ours and theirs runs. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
          + " font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none';"
          + " form-action 'none'";

  /** What the page of the back office needs; it has no data, and asks for a key itself. */
  private static final String APP = "/app";

  private record Page(String type, Buffer content) {}

  private final Map<String, Page> pages = new LinkedHashMap<>();

  Pages(ApiDocument document) {
    pages.put("/openapi.json", new Page("application/json", Buffer.buffer(document.json())));
    add("/docs", "text/html", "/dev/caravan/web/docs.html");
    add("/docs/docs.js", "text/javascript", "/dev/caravan/web/docs.js");
    String swagger = webjar("org.webjars", "swagger-ui");
    add("/docs/swagger-ui.css", "text/css", swagger + "swagger-ui.css");
    add("/docs/swagger-ui-bundle.js", "text/javascript", swagger + "swagger-ui-bundle.js");
    add("/redoc", "text/html", "/dev/caravan/web/redoc.html");
    String redoc = webjar("org.webjars", "redoc");
    add("/redoc/redoc.standalone.js", "text/javascript", redoc + "redoc.standalone.js");
    add(APP, "text/html", "/dev/caravan/web/app.html");
    add(APP + "/app.css", "text/css", "/dev/caravan/web/app.css");
    add(APP + "/app.js", "text/javascript", "/dev/caravan/web/app.js");
    String chart = webjar("org.webjars.npm", "uplot") + "dist/";
    add(APP + "/uPlot.min.css", "text/css", chart + "uPlot.min.css");
    add(APP + "/uPlot.iife.min.js", "text/javascript", chart + "uPlot.iife.min.js");
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
  private static String webjar(String group, String name) {
    String properties = "/META-INF/maven/" + group + "/" + name + "/pom.properties";
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

  /** True for files that anyone may have. */
  boolean isOpen(String path) {
    return has(path) && (path.equals(APP) || path.startsWith(APP + "/"));
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
