package dev.caravan.inspection;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import javax.management.JMException;
import org.jolokia.core.api.LogHandler;
import org.jolokia.json.JSONStructure;
import org.jolokia.server.core.config.ConfigKey;
import org.jolokia.server.core.config.StaticConfiguration;
import org.jolokia.server.core.http.HttpRequestHandler;
import org.jolokia.server.core.request.BadRequestException;
import org.jolokia.server.core.request.EmptyResponseException;
import org.jolokia.server.core.request.JolokiaRequest;
import org.jolokia.server.core.request.NotChangedException;
import org.jolokia.server.core.restrictor.policy.PolicyRestrictor;
import org.jolokia.server.core.service.JolokiaServiceManagerFactory;
import org.jolokia.server.core.service.api.JolokiaServiceManager;
import org.jolokia.server.core.util.RequestType;
import org.jolokia.service.jmx.LocalRequestHandler;
import org.jolokia.service.serializer.JolokiaSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * JMX over HTTP, by Jolokia's protocol. {@code jolokia-access.xml} says what may be read; nothing
 * can be written, and of operations there are those that draw routes. Its services are named here,
 * not searched for on the class path, so that no jar adds one.
 */
public final class Jolokia implements Handler<RoutingContext>, AutoCloseable {

  private static final String PATH = "/jolokia";

  private static final Logger LOG = LoggerFactory.getLogger(Jolokia.class);

  private final JolokiaServiceManager services;
  private final HttpRequestHandler requests;

  /** Starts it. */
  public Jolokia() {
    services =
        JolokiaServiceManagerFactory.createJolokiaServiceManager(
            new StaticConfiguration(
                ConfigKey.AGENT_ID, "caravan",
                ConfigKey.DISCOVERY_ENABLED, "false",
                ConfigKey.ALLOW_ERROR_DETAILS, "false"),
            new ToOurLog(),
            access());
    services.addService(new JolokiaSerializer());
    services.addService(new ReadingOnly());
    requests = new HttpRequestHandler(services.start());
  }

  private static PolicyRestrictor access() {
    try (InputStream file = Jolokia.class.getResourceAsStream("jolokia-access.xml")) {
      return new PolicyRestrictor(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Answers a POST of one request or a list of them; any GET says the version. */
  @Override
  public void handle(RoutingContext call) {
    call.vertx()
        .executeBlocking(() -> answer(call), false)
        .onSuccess(json -> call.response().putHeader("Content-Type", "application/json").end(json))
        .onFailure(call::fail);
  }

  private String answer(RoutingContext call) throws IOException {
    Map<String, String[]> parameters = new HashMap<>();
    call.queryParams()
        .forEach(entry -> parameters.put(entry.getKey(), new String[] {entry.getValue()}));
    JSONStructure answer;
    try {
      if (call.request().method().equals(HttpMethod.GET)) {
        answer = requests.handleGetRequest(PATH, "version", Map.of());
      } else {
        byte[] body = call.body().buffer() == null ? new byte[0] : call.body().buffer().getBytes();
        answer =
            requests.handlePostRequest(
                PATH, new ByteArrayInputStream(body), StandardCharsets.UTF_8.name(), parameters);
      }
    } catch (BadRequestException e) {
      return "{\"status\":400,\"error\":\"This is no request of Jolokia.\"}";
    } catch (EmptyResponseException e) {
      return "";
    }
    return answer.toJSONString();
  }

  @Override
  public void close() {
    services.stop();
  }

  /** The access file is not asked about subscriptions to notifications. */
  private static final class ReadingOnly extends LocalRequestHandler {

    private static final Set<RequestType> SERVED =
        EnumSet.of(RequestType.READ, RequestType.LIST, RequestType.SEARCH, RequestType.EXEC);

    /** Hawtio 5.2 draws no route at all when one of them says this. */
    private static final Pattern ERROR_HANDLER =
        Pattern.compile("\\s*<errorHandler>.*?</errorHandler>", Pattern.DOTALL);

    /** Camel makes ids of a template's steps unique in the statistics, but not in the diagram. */
    private static final Pattern PREFIX = Pattern.compile("(<processorStat id=\")route-[0-9]+");

    ReadingOnly() {
      super(1);
    }

    @Override
    public <R extends JolokiaRequest> Object handleRequest(R request, Object previous)
        throws JMException,
            IOException,
            NotChangedException,
            BadRequestException,
            EmptyResponseException {
      if (!SERVED.contains(request.getType())) {
        throw new SecurityException(request.getType().getName() + " is not served");
      }
      Object value = super.handleRequest(request, previous);
      return request.getType() == RequestType.EXEC && value instanceof String routes
          ? PREFIX.matcher(ERROR_HANDLER.matcher(routes).replaceAll("")).replaceAll("$1")
          : value;
    }
  }

  private static final class ToOurLog implements LogHandler {
    @Override
    public void debug(String message) {
      LOG.debug(message);
    }

    @Override
    public void info(String message) {
      LOG.debug(message);
    }

    @Override
    public void error(String message, Throwable t) {
      LOG.warn("{}: {}", message, t == null ? "" : t.toString());
    }

    @Override
    public boolean isDebug() {
      return LOG.isDebugEnabled();
    }
  }
}
