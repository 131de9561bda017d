package dev.caravan.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import dev.caravan.sync.ModuleSync;
import dev.caravan.sync.SyncRequest;
import dev.caravan.web.Problem.Violation;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Answers {@code /api/v1/sync} (contract 2). */
public final class SyncApi {

  /** Rows may have numbers of more digits than a double keeps. */
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private static final int DEFAULT_LIMIT = 50;

  private final ModuleSync sync;

  /** Starts syncs there, and asks how they are. */
  public SyncApi(ModuleSync sync) {
    this.sync = sync;
  }

  /** Starts a sync, or does one again. */
  @FunctionalInterface
  private interface Start {
    Optional<Integer> run() throws SQLException;
  }

  /** Starts a sync of data entries. */
  public Object syncDataEntries(
      @Header("module_id") String module, @Body String body, Exchange exchange)
      throws JsonProcessingException {
    SyncRequest wanted = request(module, null, body, exchange);
    return started(exchange, () -> sync.start(wanted));
  }

  /** Starts a sync of emission factors. */
  public Object syncFactors(
      @Header("module_id") String module,
      @Header("factor_type_id") String factorType,
      @Body String body,
      Exchange exchange)
      throws JsonProcessingException {
    SyncRequest wanted = request(module, Integer.valueOf(factorType), body, exchange);
    return started(exchange, () -> sync.start(wanted));
  }

  private static SyncRequest request(
      String module, Integer factorType, String body, Exchange exchange)
      throws JsonProcessingException {
    JsonNode wanted = JSON.readTree(body);
    return new SyncRequest(
        Integer.parseInt(module),
        factorType,
        wanted.get("provider_type").textValue(),
        wanted.get("year").intValue(),
        object(wanted, "filters"),
        object(wanted, "config"),
        Answer.caller(exchange).id());
  }

  private static JsonNode object(JsonNode wanted, String key) {
    return wanted.has(key) ? wanted.get(key) : JSON.createObjectNode();
  }

  private Object started(Exchange exchange, Start start) {
    return ofOwner(
        exchange,
        () -> {
          Optional<Integer> id;
          try {
            id = start.run();
          } catch (CaravanException e) {
            return Optional.of(refused(exchange, e));
          }
          if (id.isEmpty()) {
            return Optional.empty();
          }
          Answer.accepted(exchange, "/api/v1/sync/status/" + id.get());
          return sync.begun(id.get());
        });
  }

  /**
   * No job was made: the request cannot be served, the source cannot be reached now, or it refuses.
   * Only what may pass by itself is a 503: callers repeat that without end.
   */
  private static String refused(Exchange exchange, CaravanException e) {
    if (e.code() == FailureCode.NO_PROVIDER) {
      return Answer.problem(exchange, new Problem(ProblemCode.NO_PROVIDER, e.getMessage()));
    }
    if (e.code() == FailureCode.NOT_FAILED) {
      return Answer.problem(exchange, new Problem(ProblemCode.NOT_FAILED, e.getMessage()));
    }
    if (e instanceof InvalidParameter wrong) {
      return Answer.problem(
          exchange,
          new Problem(
              ProblemCode.INVALID,
              "The provider does not take the request as it is.",
              List.of(new Violation("body", wrong.pointer(), wrong.detail()))));
    }
    e.retryAfter()
        .ifPresent(pause -> exchange.getMessage().setHeader("Retry-After", pause.toSeconds()));
    return Answer.problem(
        exchange,
        new Problem(
            e.code().retryable() ? ProblemCode.SOURCE_UNAVAILABLE : ProblemCode.SOURCE_REFUSED,
            e.code() + ": " + e.getMessage()));
  }

  /** How a sync is. */
  public Object getSync(@Header("job_id") String id, Exchange exchange) {
    return ofOwner(exchange, () -> sync.status(Integer.parseInt(id)));
  }

  /** The syncs of a module, the newest first. */
  public Object listSyncs(
      @Header("module_id") String module,
      @Header("provider_type") String providerType,
      @Header("limit") String limit,
      Exchange exchange) {
    int rows = limit == null ? DEFAULT_LIMIT : Integer.parseInt(limit);
    return ofOwner(exchange, () -> sync.history(Integer.parseInt(module), providerType, rows));
  }

  /** Does a failed sync again. */
  public Object retrySync(@Header("job_id") String id, Exchange exchange) {
    String caller = Answer.caller(exchange).id();
    return started(exchange, () -> sync.retry(Integer.parseInt(id), caller));
  }

  /** All modules, and what each can be synced from. */
  public Object listModules(Exchange exchange) {
    return ofOwner(exchange, () -> Optional.of(sync.modules()));
  }

  /** To other tenants than the owner of the modules there are none. */
  private static Object ofOwner(Exchange exchange, Answer.Query query) {
    boolean owner = Answer.caller(exchange).tenant().equals(ModuleSync.TENANT);
    return Answer.of(exchange, owner ? query : Optional::empty);
  }
}
