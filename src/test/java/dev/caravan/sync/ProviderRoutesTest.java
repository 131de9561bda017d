package dev.caravan.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.LoadResult;
import dev.caravan.testing.CamelHeaders;
import dev.caravan.testing.ExchangeRecorder;
import dev.caravan.testing.HeaderProxy;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.main.Main;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.apache.camel.spi.CamelEvent.ExchangeSendingEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A provider is a YAML file: here of kinds that the code has never heard of. */
class ProviderRoutesTest {

  private static final String ANY =
      """
      - route:
          id: %1$s-any-csv_upload-factors
          from:
            uri: direct:%1$s-any-csv_upload-factors
            steps:
              - log: any
      """;

  private final Main main = new Main();

  @AfterEach
  void stop() {
    main.stop();
  }

  private ProviderRoutes start(Path folder, String... files) throws Exception {
    for (int i = 0; i < files.length; i++) {
      Files.writeString(folder.resolve(i + ".camel.yaml"), files[i]);
    }
    main.setShutdownStrategy(new SimpleMainShutdownStrategy()); // has no hook that keeps it
    main.setDefaultPropertyPlaceholderLocation("false"); // nothing of Caravan's own routes
    main.addInitialProperty("camel.main.jmxEnabled", "false");
    main.configure().withRoutesIncludePattern("file:" + folder + "/*.camel.yaml");
    main.start();
    return new ProviderRoutes(main.getCamelContext());
  }

  /** The first block of YAML below a heading of the walk-through. */
  static String walkThrough(String heading) throws IOException {
    String text = Files.readString(Path.of("docs/providers.md"));
    int start = text.indexOf("```yaml\n", text.indexOf("\n## " + heading + "\n")) + 8;
    return text.substring(start, text.indexOf("```", start));
  }

  @Test
  void runsTheProviderOfTheWalkThrough(@TempDir Path folder) throws Exception {
    HttpServer gate = gate();
    try (HeaderProxy network = new HeaderProxy(gate.getAddress().getPort())) {
      main.addInitialProperty("caravan.providers.parking.url", network.url());
      main.addInitialProperty(
          "caravan.providers.parking.mapping",
          Files.writeString(folder.resolve("parking.yaml"), walkThrough("Mappings")).toString());
      TestDatabase database = TestDatabase.create();
      main.bind("warehouse", database.dataSource());
      ProviderRoutes.Provider provider =
          start(folder, walkThrough("Routes of your own"))
              .find("parking", "gate_api", "data_entries");
      assertThat(send(provider.checkRoute()).getException()).isNull();
      LoadResult result = send(provider.syncRoute()).getMessage().getBody(LoadResult.class);
      assertThat(result.warnings())
          .containsExactly(
              "NO_DATE: 1 values of 'Einfahrt', the first of them 'gestern', became NULL, because it is not dd.MM.yyyy",
              "UNKNOWN_WORD: 1 values of 'Klasse', the first of them 'Bus', became other");
      assertThat(
              new Sql(database.url(), null, null).rows("SELECT * FROM parking_entries ORDER BY 1"))
          .containsExactly(
              "VD 1|2025-01-31|car|true|1000.5|VD 1|31.01.2025|Lausanne|2025",
              "VD 2|null|other|false|3|VD 2|gestern|Lausanne|2025");
      headersOfAnAnswerReachNoLoad(network, provider);
    } finally {
      gate.stop(0);
    }
    Exchange closed = send("sync-parking-gate_api-data_entries");
    assertThat(closed.getException()).hasMessageContaining("Car park: cannot be reached");
  }

  private void headersOfAnAnswerReachNoLoad(HeaderProxy network, ProviderRoutes.Provider provider) {
    ExchangeRecorder recorder =
        ExchangeRecorder.in(main.getCamelContext(), ExchangeSendingEvent.class);
    send(provider.syncRoute());
    Set<String> plain = recorder.names();
    for (List<String> names : CamelHeaders.inGroups(80)) { // an answer of more than 100 is refused
      network.inject(names);
      assertThat(send(provider.syncRoute()).getException()).isNull();
      assertThat(recorder.names()).isEqualTo(plain);
    }
  }

  private Exchange send(String route) {
    return main.getCamelContext()
        .createProducerTemplate()
        .request("direct:" + route, exchange -> exchange.getMessage().setBody("{\"year\": 2025}"));
  }

  private static HttpServer gate() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    byte[] tickets =
        """
        {"tickets": [
          {"Kennzeichen": "VD 1", "Einfahrt": "31.01.2025", "Klasse": "PKW", "Bezahlt": "ja", "Stunden": "1'000,5"},
          {"Kennzeichen": "VD 2", "Einfahrt": "gestern", "Klasse": "Bus", "Bezahlt": "nein", "Stunden": 3}]}"""
            .getBytes(StandardCharsets.UTF_8);
    server.createContext(
        "/tickets",
        exchange -> {
          exchange.sendResponseHeaders(200, tickets.length);
          exchange.getResponseBody().write(tickets);
          exchange.close();
        });
    server.start();
    return server;
  }

  @Test
  void takesTheProviderForAnyModuleTypeWhereThereIsNoOther(@TempDir Path folder) throws Exception {
    ProviderRoutes providers = start(folder, ANY.formatted("sync"), ANY.formatted("check"));
    assertThat(providers.find("travel", "csv_upload", "factors").syncRoute())
        .isEqualTo("sync-any-csv_upload-factors");
    assertThatThrownBy(() -> providers.find("travel", "csv_upload", "data_entries"))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.NO_PROVIDER))
        .hasMessageContainingAll("'travel'", "There are: (any, csv_upload, factors)");
  }

  @Test
  void saysThatAProviderCannotValidateItsConnection(@TempDir Path folder) throws Exception {
    ProviderRoutes providers = start(folder, ANY.formatted("sync"));
    assertThatThrownBy(() -> providers.find("travel", "csv_upload", "factors"))
        .hasMessageContaining("no route check-any-csv_upload-factors");
  }
}
