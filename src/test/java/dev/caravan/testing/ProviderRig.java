package dev.caravan.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.failure.CaravanException;
import dev.caravan.pgload.LoadResult;
import dev.caravan.provider.ProviderFiles;
import java.nio.file.Path;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.main.Main;
import org.apache.camel.main.SimpleMainShutdownStrategy;

/**
 * For authors of providers: their file, the templates and a database, without the rest of the
 * program. Together with a {@link StubSource} a provider is tried in less than a second.
 */
public final class ProviderRig implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final TestDatabase database = TestDatabase.create();
  private final Main main = new Main();
  private final ProducerTemplate template;

  private ProviderRig(Path file, Map<String, String> settings) throws Exception {
    main.setShutdownStrategy(new SimpleMainShutdownStrategy()); // has no hook that keeps it
    main.setPropertyPlaceholderLocations("file:application.properties");
    settings.forEach(main::addOverrideProperty);
    main.addOverrideProperty("caravan.providers.files", file.toString());
    main.addOverrideProperty("camel.server.enabled", "false");
    main.addOverrideProperty("camel.main.jmxEnabled", "false");
    main.addOverrideProperty(
        "camel.main.routesIncludePattern",
        "file:routes/shared/records.camel.yaml,file:routes/shared/jobs.camel.yaml");
    main.bind("warehouse", database.dataSource());
    main.configure().addRoutesBuilder(new ProviderFiles());
    main.start();
    template = main.getCamelContext().createProducerTemplate();
  }

  /**
   * Starts it.
   *
   * @param file of the provider
   * @param settings that it names, as {@code caravan.providers.worldbank.url}
   */
  public static ProviderRig start(Path file, Map<String, String> settings) throws Exception {
    return new ProviderRig(file, settings);
  }

  /** What a sync with these parameters did. */
  public LoadResult sync(String provider, Map<String, ?> parameters) throws Exception {
    Exchange done = send("direct:sync-" + provider, parameters);
    if (done.getException() != null) {
      throw done.getException();
    }
    return done.getMessage().getHeader(CopyUpsertConstants.RESULT, LoadResult.class);
  }

  /** The failure of a sync; an AssertionError when it does not fail with a code. */
  public CaravanException failure(String provider, Map<String, ?> parameters) throws Exception {
    return failure(send("direct:sync-" + provider, parameters));
  }

  /** The failure of a check. */
  public CaravanException refusal(String provider, Map<String, ?> parameters) throws Exception {
    return failure(send("direct:check-" + provider, parameters));
  }

  /** A check that is to succeed. */
  public void check(String provider, Map<String, ?> parameters) throws Exception {
    Exchange done = send("direct:check-" + provider, parameters);
    if (done.getException() != null) {
      throw done.getException();
    }
  }

  private static CaravanException failure(Exchange done) {
    if (done.getException() instanceof CaravanException failure) {
      return failure;
    }
    throw new AssertionError("not a failure with a code", done.getException());
  }

  private Exchange send(String uri, Map<String, ?> parameters) throws Exception {
    String body = JSON.writeValueAsString(parameters);
    return template.request(uri, exchange -> exchange.getMessage().setBody(body));
  }

  /** What is in the database. */
  public Sql sql() {
    return new Sql(database.url(), null, null);
  }

  @Override
  public void close() {
    main.stop();
  }
}
