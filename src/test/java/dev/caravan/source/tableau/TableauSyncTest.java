package dev.caravan.source.tableau;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.LoadResult;
import dev.caravan.sync.ProviderRoutes;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

/** A year of flights from a server that speaks Tableau's protocol into carbon_reports. */
class TableauSyncTest {

  private static final Flights YEAR = new Flights(42, 200_000, false);
  private static final Flights FEW = new Flights(42, 3_000, false);

  @Test
  void loadsAYearInOnePassAndASecondSyncChangesNothing() throws Exception {
    try (TableauServer tableau = TableauServer.start(YEAR);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      LoadResult first = timed("first sync", routes);
      assertThat(first.inserted()).isEqualTo(200_000);
      assertThat(first.rejected() + first.superseded()).isZero();
      assertThat(tableau.calls)
          .containsExactly(TableauServer.SIGN_IN, TableauServer.QUERY, TableauServer.SIGN_OUT);
      assertThat(tableau.openSessions()).isZero();

      LoadResult second = timed("the same again", routes);
      assertThat(second.unchanged()).isEqualTo(200_000);

      tableau.serve(YEAR.withChanges());
      LoadResult third = timed("every tenth changed", routes);
      assertThat(third.updated()).isEqualTo(20_000);
      assertThat(third.unchanged()).isEqualTo(180_000);
      assertThat(routes.rows()).isEqualTo(200_000);
    }
  }

  /** The figures of docs/providers.md. */
  private static LoadResult timed(String what, TableauRoutes routes) throws Exception {
    long start = System.nanoTime();
    LoadResult result = routes.sync();
    System.out.printf(
        Locale.ROOT,
        "%,d flights, %s: %.1f s%n",
        result.read(),
        what,
        (System.nanoTime() - start) / 1e9);
    return result;
  }

  @Test
  void mapsEveryFieldOfTheContract() throws Exception {
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      LoadResult result = routes.sync();
      Map<String, Object> flight = FEW.flight(0);
      assertThat(
              routes.sql.rows(
                  """
                  SELECT sciper, centre_financier, to_char(departure_date, 'YYYYMMDD'), origin, destination,
                    origin_code, destination_code, travel_class, supplier, transport_type, round_trip,
                    distance_km, co2_kg, inventory_id, created_by
                  FROM carbon_reports WHERE ticket_number = '125 0000000000'"""))
          .containsExactly(
              String.join(
                  "|",
                  List.of(
                      flight.get("Sciper").toString(),
                      flight.get("Centre financier").toString(),
                      flight.get("IN_Departure date").toString(),
                      flight.get("IN_Segment origin").toString(),
                      flight.get("IN_Segment destination").toString(),
                      flight.get("IN_Segment origin airport code").toString(),
                      flight.get("IN_Segment destination airport code").toString(),
                      "economy",
                      flight.get("IN_Supplier").toString(),
                      "Plane",
                      "t",
                      flight.get("OUT_DISTANCE_CORRECTED").toString(),
                      flight.get("OUT_CO2_CORRECTED").toString(),
                      "7",
                      "anna")));
      assertThat(
              routes.sql.rows(
                  "SELECT travel_class, count(*) FROM carbon_reports GROUP BY 1 ORDER BY 1"))
          .containsExactly("business|600", "economy|1800", "first|600");
      assertThat(routes.sql.value("SELECT count(*) FROM carbon_reports WHERE NOT round_trip"))
          .isEqualTo("2000");
      assertThat(
              routes.sql.value("SELECT count(*) FROM carbon_reports WHERE departure_date IS NULL"))
          .isEqualTo("3");
      assertThat(result.warnings())
          .containsExactly(
              "UNKNOWN_WORD: 600 values of 'IN_Segment class', the first of them 'AIR PREMIUM ECONOMY', became economy",
              "NO_DATE: 3 values of 'IN_Departure date', the first of them '20250230', became NULL, because it is not yyyyMMdd");
    }
  }

  @Test
  void asksForTheYearAndWhatTheCallerFiltersBy() throws Exception {
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      routes.sync();
      long all = routes.rows();
      String centre = FEW.flight(5).get("Centre financier").toString();
      LoadResult filtered = routes.sync(Map.of("centre_financier", centre));
      assertThat(filtered.unchanged()).isBetween(1L, 30L);
      assertThat(routes.rows()).as("the rest of the year stays").isEqualTo(all).isEqualTo(3_000);
      assertThat(routes.sync(Map.of("Sciper", List.of("1", "2"))).read()).isZero();
      assertThat(tableau.headers)
          .contains("x-tableau-auth")
          .doesNotContain("authorization", "x-internal", "caravanparameters");
    }
  }

  @Test
  void refusesFiltersThatTableauCannotHave() throws Exception {
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      refuses(routes, Map.of("departure_date", "20250101"), "second filter", "IN_Departure date");
      refuses(routes, Map.of("centre_financier", "a", "Centre financier", "b"), "second filter");
      refuses(
          routes, Map.of("colour", "red"), "/filters/colour", "centre_financier, departure_date");
      refuses(routes, Map.of("sciper", List.of()), "/filters/sciper: ", "a list of values");
      refuses(routes, Map.of("sciper", Map.of("a", 1)), "/filters/sciper");
      Exchange noYear = routes.send(TableauRoutes.SYNC, Map.of("year", "25", "inventory_id", 7));
      assertThat(noYear.getException()).hasMessageContaining("year: found '25'");
      Exchange noInventory = routes.send(TableauRoutes.SYNC, Map.of("year", 2025));
      assertThat(noInventory.getException()).hasMessageContaining("'inventory_id'");
      assertThat(routes.rows()).isZero();
      assertThat(tableau.openSessions()).isZero();
    }
  }

  private static void refuses(TableauRoutes routes, Map<String, Object> filters, String... parts) {
    assertThatThrownBy(() -> routes.sync(filters))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.CONFIG_INVALID))
        .hasMessageContainingAll(parts);
  }

  @Test
  void takesAnEmptyYearForAnEmptyYear() throws Exception {
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      tableau.nextQuery(200, "{\"data\":[]}");
      assertThat(routes.sync().read()).isZero();
    }
  }

  @Test
  void signsInAgainOnceWhenTheSessionEnds() throws Exception {
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      tableau.nextError("401002", "Invalid authorization credentials");
      assertThat(routes.sync().inserted()).isEqualTo(3_000);
      assertThat(tableau.count(TableauServer.SIGN_IN)).isEqualTo(2);

      tableau.nextError("401002", "Invalid authorization credentials");
      tableau.nextError("401002", "Invalid authorization credentials");
      assertThat(routes.failure().code()).isEqualTo(FailureCode.AUTH_FAILED);
      assertThat(tableau.count(TableauServer.SIGN_IN)).isEqualTo(4);
      assertThat(tableau.count(TableauServer.QUERY)).isEqualTo(4);
      assertThat(tableau.count(TableauServer.SIGN_OUT)).isEqualTo(2);
    }
  }

  @Test
  void doesNotFailForASignOutThatFails() throws Exception {
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      tableau.hangsUpOnSignOut = true;
      assertThat(routes.sync().inserted()).isEqualTo(3_000);
      tableau.nextError("404934", "no such field");
      assertThat(routes.failure().code()).isEqualTo(FailureCode.SOURCE_REFUSED);
    }
  }

  @Test
  void validatesTheConnectionWithoutAQuery() throws Exception {
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      ProviderRoutes providers = new ProviderRoutes(routes.context());
      String check = providers.find("travel", "tableau_api", "data_entries").checkRoute();
      assertThat(routes.send("direct:" + check, Map.of("year", 2025)).getException()).isNull();
      assertThat(tableau.calls).containsExactly(TableauServer.SIGN_IN, TableauServer.SIGN_OUT);
    }
    try (TableauServer tableau = TableauServer.start(FEW);
        TableauRoutes routes =
            new TableauRoutes(tableau.url(), Map.of("username", "somebody.else"))) {
      assertThat(routes.send(TableauRoutes.CHECK, Map.of("year", 2025)).getException())
          .hasMessageContainingAll("refuses the sign-in", "401001", "check client id");
    }
  }

  @Test
  void isNoProviderWithoutItsSettings() throws Exception {
    try (TableauRoutes routes = new TableauRoutes("", Map.of("secret-value", ""))) {
      assertThatThrownBy(
              () ->
                  new ProviderRoutes(routes.context())
                      .find("travel", "tableau_api", "data_entries"))
          .hasMessageContainingAll("no provider", "'tableau_api'", "settings are empty");
    }
  }

  @Test
  void refusesToStartWithHalfOfItsSettings() {
    assertThatThrownBy(
            () ->
                new TableauRoutes(
                    "http://tableau.example.org/x",
                    Map.of("secret-value", "tiny-one", "client-id", "")))
        .rootCause()
        .hasMessageContainingAll(
            "server-url: allowed is https", "client-id: missing", "secret-value")
        .hasMessageNotContaining("tiny-one");
  }
}
