package dev.caravan.source.tableau;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.database.Database;
import dev.caravan.failure.CaravanException;
import dev.caravan.pgload.LoadResult;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.main.Main;
import org.apache.camel.main.SimpleMainShutdownStrategy;

/** The routes of the provider as they are, in a context that has nothing else of Caravan. */
final class TableauRoutes implements AutoCloseable {

  static final String SYNC = "direct:sync-travel-tableau_api-data_entries";
  static final String CHECK = "direct:check-travel-tableau_api-data_entries";

  private static final String PREFIX = "caravan.providers.tableau.";

  private final TestDatabase database = TestDatabase.create();
  final Sql sql = new Sql(database.url(), null, null);
  private final Main main = new Main();
  private final ProducerTemplate template;

  /** The settings of the provider for a {@link TableauServer}. */
  static Map<String, String> settings(String serverUrl) {
    return Map.of(
        PREFIX + "server-url", serverUrl,
        PREFIX + "site", TableauServer.SITE,
        PREFIX + "client-id", TableauServer.CLIENT_ID,
        PREFIX + "secret-id", TableauServer.SECRET_ID,
        PREFIX + "secret-value", TableauServer.SECRET_VALUE,
        PREFIX + "username", TableauServer.USERNAME,
        PREFIX + "travel-datasource", TableauServer.DATASOURCE);
  }

  TableauRoutes(String serverUrl, Map<String, String> settings) throws Exception {
    try (Database migrated = Database.open("test", database.url(), null, null, 2)) {
      migrated.migrate();
    }
    sql.execute("INSERT INTO inventories VALUES (7, 'EPFL', 2025), (8, 'Other', 2025)");
    Map<String, String> all = new HashMap<>(settings(serverUrl));
    settings.forEach((key, value) -> all.put(PREFIX + key, value));
    all.put("camel.server.enabled", "false");
    all.put("camel.main.jmxEnabled", "false");
    all.put(
        "camel.main.routesIncludePattern",
        "file:routes/shared/tableau.camel.yaml,file:routes/providers/travel-tableau.camel.yaml");
    Properties properties = new Properties();
    properties.putAll(all);
    main.setShutdownStrategy(new SimpleMainShutdownStrategy()); // has no hook that keeps it
    main.setPropertyPlaceholderLocations("file:application.properties");
    main.setOverrideProperties(properties);
    main.bind("warehouse", database.dataSource());
    main.start();
    template = main.getCamelContext().createProducerTemplate();
  }

  CamelContext context() {
    return main.getCamelContext();
  }

  /** What the sync of 2025 for inventory 7 did. */
  LoadResult sync() throws Exception {
    return sync(Map.of());
  }

  LoadResult sync(Map<String, Object> filters) throws Exception {
    Exchange done =
        send(
            SYNC,
            Map.of("year", 2025, "filters", filters, "inventory_id", 7, "created_by", "anna"));
    if (done.getException() != null) {
      throw done.getException();
    }
    // a job's end goes by it, too
    assertThat(done.getProperty(Exchange.EXCEPTION_CAUGHT)).isNull();
    return done.getMessage().getHeader(CopyUpsertConstants.RESULT, LoadResult.class);
  }

  Exchange send(String uri, Map<String, Object> parameters) {
    return template.request(
        uri,
        exchange -> {
          exchange.getMessage().setBody(TableauJson.text(parameters));
          exchange.getMessage().setHeader("Authorization", "Bearer of-the-caller");
          exchange.getMessage().setHeader("X-Internal", "not for others");
        });
  }

  /** The failure of a sync; an AssertionError when it does not fail that way. */
  CaravanException failure() {
    Exchange done = send(SYNC, Map.of("year", 2025, "inventory_id", 7, "created_by", "anna"));
    if (done.getException() instanceof CaravanException failure) {
      return failure;
    }
    throw new AssertionError("not a failure with a code", done.getException());
  }

  long rows() {
    return Long.parseLong(sql.value("SELECT count(*) FROM carbon_reports"));
  }

  @Override
  public void close() {
    main.stop();
  }
}
