package dev.caravan.sync;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.copyupsert.CopyUpsertEndpoint;
import dev.caravan.copyupsert.CopyUpsertLoad;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import dev.caravan.job.camel.RejectReplay;
import dev.caravan.job.jdbc.JobReports.FileLoad;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.EndpointAware;
import org.apache.camel.Exchange;
import org.apache.camel.Route;

/**
 * Replays corrected rejects of a sync into the sync's target, by the load of the sync's own route.
 * The job has no number and is no sync: the state of its module stays that of the sync.
 */
public final class SyncReplay {

  /** Route of the jobs. */
  private static final String ROUTE = "replay-sync";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final CamelContext context;
  private final DataSource target;
  private final ModuleSync.Settings settings;

  /**
   * What the job is told.
   *
   * @param route of the sync
   */
  private record Told(UUID load, String file, String route) {}

  /**
   * @param context has the providers' routes
   * @param target where they load to
   */
  public SyncReplay(CamelContext context, DataSource target, ModuleSync.Settings settings) {
    this.context = context;
    this.target = target;
    this.settings = settings;
  }

  /** A request to replay the fixed records of a load, of a sync or of a replay. */
  public JobRequest request(FileLoad load) {
    String route = load.route().equals(ROUTE) ? told(load.parameters()).route() : load.route();
    try {
      return new JobRequest(RejectReplay.KIND, ModuleSync.PROJECT, ROUTE)
          .connection(settings.connection())
          .target(load.target()) // one after the other with syncs of the module and year
          .parameters(JSON.writeValueAsString(new Told(load.loadId(), load.file(), route)))
          .attempts(settings.retry().attempts(), settings.timeout());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Told told(String parameters) {
    try {
      return JSON.readValue(parameters, Told.class);
    } catch (JsonProcessingException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID, "parameters: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * What the job of a message is to replay.
   *
   * @throws CaravanException NO_PROVIDER when the sync's route is not there any more
   */
  public RejectReplay.Refused refused(Exchange exchange) {
    Told told = told(exchange.getMessage().getBody(String.class));
    CopyUpsertLoad by =
        Optional.ofNullable(context.getRoute(told.route()))
            .flatMap(SyncReplay::load)
            .orElseThrow(
                () ->
                    new CaravanException(
                        FailureCode.NO_PROVIDER,
                        "There is no route %s any more that loads into a table."
                            .formatted(told.route())));
    return new RejectReplay.Refused(told.load(), told.file(), by, target);
  }

  /** The load of a route, wherever among its steps. */
  private static Optional<CopyUpsertLoad> load(Route route) {
    return route.filter("*").stream()
        .filter(EndpointAware.class::isInstance)
        .map(step -> ((EndpointAware) step).getEndpoint())
        .filter(CopyUpsertEndpoint.class::isInstance)
        .map(endpoint -> ((CopyUpsertEndpoint) endpoint).configuredLoad())
        .findFirst();
  }
}
