package dev.caravan.sync;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.IfRunning;
import dev.caravan.job.JobRequest;
import dev.caravan.job.Retry;
import dev.caravan.sync.jdbc.Ingestion;
import dev.caravan.sync.jdbc.Ingestions;
import dev.caravan.sync.jdbc.Ingestions.Past;
import dev.caravan.sync.jdbc.SyncedModule;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;

/**
 * Starts syncs: finds the provider, has it validate its connection, and launches its route as a
 * job. The same sync that is under way already is the answer; another one of the module and year
 * waits for it.
 */
public final class ModuleSync {

  /** What jobs of syncs have for a project; no project can be called so. */
  public static final String PROJECT = "module sync";

  /** The modules, of which there is one set in a database, are this tenant's. */
  public static final String TENANT = "default";

  private static final List<String> NOT_AT_THE_START =
      List.of("metadata", "started_at", "completed_at");

  /** Rows may have numbers of more digits than a double keeps. */
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  /** A connection is validated within. */
  private static final int CHECK_SECONDS = 30;

  private final ProducerTemplate template;
  private final ProviderRoutes providers;
  private final Ingestions ingestions;
  private final Settings settings;
  private final Runnable wake;

  /**
   * How syncs run.
   *
   * @param connection name of the database that all providers load into
   * @param retry of what fails for a reason that may pass
   * @param timeout of one attempt
   */
  public record Settings(String connection, Retry retry, Duration timeout) {}

  /**
   * @param context has the providers' routes
   * @param wake tells the queue that there may be work
   */
  public ModuleSync(CamelContext context, Ingestions ingestions, Settings settings, Runnable wake) {
    this.template = context.createProducerTemplate();
    this.providers = new ProviderRoutes(context);
    this.ingestions = ingestions;
    this.settings = settings;
    this.wake = wake;
  }

  /**
   * Starts a sync.
   *
   * @return its number; empty when there is no such module or factor type
   * @throws dev.caravan.failure.InvalidParameter when the provider does not take the request as it
   *     is
   * @throws CaravanException NO_PROVIDER; any other code when its connection is not valid now
   */
  public Optional<Integer> start(SyncRequest wanted) throws SQLException {
    return start(wanted, null);
  }

  private Optional<Integer> start(SyncRequest wanted, UUID retryOf) throws SQLException {
    Optional<SyncedModule> module = ingestions.module(wanted.moduleId());
    boolean factors = wanted.factorTypeId() != null;
    if (module.isEmpty()
        || (factors && !ingestions.hasFactorType(module.get(), wanted.factorTypeId()))) {
      return Optional.empty();
    }
    ProviderRoutes.Provider provider = provider(module.get(), wanted);
    String parameters = parameters(module.get(), wanted).toString();
    check(provider, parameters);
    JobRequest request = request(module.get(), wanted, provider).parameters(parameters);
    int id =
        ingestions.launch(
            request.retryOf(retryOf),
            new Ingestion(
                module.get(),
                wanted.factorTypeId(),
                wanted.providerType(),
                provider.target(),
                wanted.year(),
                metadata(wanted),
                wanted.createdBy()));
    wake.run();
    return Optional.of(id);
  }

  private ProviderRoutes.Provider provider(SyncedModule module, SyncRequest wanted) {
    String target = wanted.factorTypeId() == null ? "data_entries" : "factors";
    return providers.find(module.type(), wanted.providerType(), target);
  }

  /** What the provider's route finds as its body. */
  private static ObjectNode parameters(SyncedModule module, SyncRequest wanted) {
    ObjectNode parameters = JSON.createObjectNode();
    parameters.put("module_id", module.id());
    parameters.put("inventory_id", module.inventoryId());
    if (wanted.factorTypeId() != null) {
      parameters.put("factor_type_id", wanted.factorTypeId());
    }
    parameters.put("year", wanted.year());
    parameters.set("filters", wanted.filters());
    parameters.set("config", wanted.config());
    parameters.put("created_by", wanted.createdBy());
    return parameters;
  }

  /** What is shown of it later; rows that were handed in are in their table. */
  private static String metadata(SyncRequest wanted) {
    ObjectNode config = wanted.config().deepCopy();
    config.remove("rows");
    ObjectNode metadata = JSON.createObjectNode();
    metadata.set("filters", wanted.filters());
    metadata.set("config", config);
    return metadata.toString();
  }

  /** Somebody waits for the answer; a source that says nothing is one that cannot be reached. */
  private void check(ProviderRoutes.Provider provider, String parameters) throws SQLException {
    Future<Exchange> answer =
        template.asyncSend(
            "direct:" + provider.checkRoute(), e -> e.getMessage().setBody(parameters));
    Exception failure;
    try {
      failure = answer.get(CHECK_SECONDS, TimeUnit.SECONDS).getException();
    } catch (TimeoutException e) {
      throw new CaravanException(
          FailureCode.SOURCE_UNAVAILABLE,
          "The source did not answer within %d s.".formatted(CHECK_SECONDS),
          e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CaravanException(FailureCode.INTERRUPTED, "Caravan stops.", e);
    }
    if (failure instanceof CaravanException known) {
      throw known;
    }
    if (failure instanceof SQLException ours) {
      throw ours; // the uploads are in the database of the jobs
    }
    if (failure != null) {
      throw new IllegalStateException("defect of " + provider.checkRoute(), failure);
    }
  }

  /** The job of a sync, without its parameters. */
  private JobRequest request(
      SyncedModule module, SyncRequest wanted, ProviderRoutes.Provider provider) {
    String scope = "sync/%d/%s/%d".formatted(module.id(), wanted.factorTypeId(), wanted.year());
    String same =
        "%s/%s/%s%s".formatted(scope, wanted.providerType(), wanted.filters(), wanted.config());
    return new JobRequest("module-sync", PROJECT, provider.syncRoute())
        .tenant(TENANT)
        .connection(settings.connection())
        .target(scope)
        .single(
            UUID.nameUUIDFromBytes(same.getBytes(StandardCharsets.UTF_8)).toString(),
            IfRunning.ATTACH)
        .attempts(settings.retry().attempts(), settings.timeout());
  }

  /**
   * Does a failed sync again, from what it was started with.
   *
   * @param createdBy who asks
   * @return as {@link #start}
   * @throws CaravanException NOT_FAILED, or as {@link #start}
   */
  public Optional<Integer> retry(int id, String createdBy) throws SQLException {
    Optional<Past> past = ingestions.past(TENANT, id);
    if (past.isEmpty()) {
      return Optional.empty();
    }
    if (!past.get().state().equals("failed")) {
      throw new CaravanException(
          FailureCode.NOT_FAILED,
          "Sync %d is %s; only one that failed is done again.".formatted(id, past.get().state()));
    }
    JsonNode parameters = json(past.get().parameters());
    return start(
        new SyncRequest(
            past.get().module(),
            past.get().factorType(),
            past.get().providerType(),
            past.get().year(),
            parameters.get("filters"),
            parameters.get("config"),
            createdBy),
        past.get().job());
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("PostgreSQL writes JSON", e);
    }
  }

  /** How a sync is, as JSON; empty when there is none of the number. */
  public Optional<String> status(int id) throws SQLException {
    return ingestions.status(TENANT, id);
  }

  /** As above, as far as a start answers with it. */
  public Optional<String> begun(int id) throws SQLException {
    return status(id).map(text -> ((ObjectNode) json(text)).remove(NOT_AT_THE_START).toString());
  }

  /**
   * The syncs of a module, the newest first: {@code {"jobs": [...]}}.
   *
   * @param providerType null for all
   * @return empty when there is no such module
   */
  public Optional<String> history(int module, String providerType, int limit) throws SQLException {
    if (ingestions.module(module).isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        "{\"jobs\":" + ingestions.history(TENANT, module, providerType, limit) + "}");
  }

  /**
   * All modules, each with the providers that it can be synced from: {@code {"modules": [...]}}.
   */
  public String modules() throws SQLException {
    ArrayNode modules = (ArrayNode) json(ingestions.modules());
    for (JsonNode module : modules) {
      ArrayNode mine = ((ObjectNode) module).putArray("providers");
      for (ProviderRoutes.Provider provider : providers.all()) {
        if (provider.moduleType().equals(module.get("type").textValue())
            || provider.moduleType().equals(ProviderRoutes.ANY)) {
          mine.addObject()
              .put("provider_type", provider.providerType())
              .put("target_type", provider.target());
        }
      }
    }
    return JSON.createObjectNode().set("modules", modules).toString();
  }
}
