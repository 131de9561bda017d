package dev.caravan.source.tableau;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialects;
import dev.caravan.testing.Prism;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What we ask, and what the test server answers, is what Tableau's own description says. */
class TableauContractTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DOCUMENT = "VizQLDataServiceOpenAPISchema.20261.json";
  private static final Flights FLIGHTS = new Flights(42, 50, false);

  private static JsonNode document() throws IOException {
    try (InputStream in = TableauContractTest.class.getResourceAsStream("/tableau/" + DOCUMENT)) {
      return JSON.readTree(in);
    }
  }

  private static List<String> violations(String type, JsonNode value) throws IOException {
    String text = document().toString();
    SchemaRegistry registry =
        SchemaRegistry.withDialect(
            Dialects.getOpenApi30(),
            builder -> builder.schemas(Map.of("https://tableau.test/vds", text)));
    Schema schema =
        registry.getSchema(
            SchemaLocation.of("https://tableau.test/vds#/components/schemas/" + type));
    return schema.validate(value).stream().map(Object::toString).toList();
  }

  @Test
  void asksAsTheDescriptionSays() throws Exception {
    try (TableauServer tableau = TableauServer.start(FLIGHTS);
        TableauRoutes routes = new TableauRoutes(tableau.url(), Map.of())) {
      routes.sync(Map.of("centre_financier", List.of("F0001", "F0002")));
      JsonNode request = tableau.queries.get(0);
      assertThat(violations("QueryRequest", request)).isEmpty();
      JsonNode filters = request.at("/query/filters");
      assertThat(filters).hasSize(2);
      assertThat(violations("MatchFilter", filters.get(0))).isEmpty();
      assertThat(violations("SetFilter", filters.get(1))).isEmpty();
      assertThat(request.at("/query/fields")).hasSize(14);
      assertThat(request.at("/options/returnFormat").asText()).isEqualTo("OBJECTS");
    }
  }

  @Test
  void asksForARangeOfDatesWhereTheFieldIsADate() throws Exception {
    TableauQuery query = new TableauQuery();
    query.setDatasource("luid");
    query.setMapping(dev.caravan.project.MappingReader.read("mappings/travel-tableau.yaml"));
    query.setYearField("IN_Departure date");
    query.setYearFieldIs(TableauQuery.YearField.DATE);
    try (var context = new org.apache.camel.impl.DefaultCamelContext()) {
      var exchange = new org.apache.camel.support.DefaultExchange(context);
      exchange.setProperty(TableauQuery.PARAMETERS, Map.of("year", "2024"));
      query.process(exchange);
      JsonNode request = JSON.readTree(exchange.getMessage().getBody(String.class));
      assertThat(violations("QueryRequest", request)).isEmpty();
      JsonNode filter = request.at("/query/filters/0");
      assertThat(violations("QuantitativeDateFilter", filter)).isEmpty();
      assertThat(filter.path("minDate").asText()).isEqualTo("2024-01-01");
      assertThat(filter.path("maxDate").asText()).isEqualTo("2024-12-31");
    }
  }

  @Test
  void theTestServerAnswersAsTheDescriptionSays() throws Exception {
    try (TableauServer tableau = TableauServer.start(FLIGHTS)) {
      JsonNode refused =
          post(tableau, "{\"datasource\":{\"datasourceLuid\":\"x\"},\"query\":{\"fields\":[]}}");
      assertThat(refused.path("errorCode").asText()).isEqualTo("401002");
      assertThat(violations("TableauError", refused)).isEmpty();
      tableau.nextError("429000", "Too many requests");
      assertThat(violations("TableauError", post(tableau, "{}"))).isEmpty();
    }
    assertThat(violations("QueryRequest", JSON.readTree("{\"query\":{\"fields\":1}}")))
        .as("the check itself")
        .isNotEmpty();
  }

  private static JsonNode post(TableauServer tableau, String body) throws Exception {
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(tableau.url() + TableauServer.QUERY))
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    return JSON.readTree(answer.body());
  }

  /** Prism stands in between and refuses what the description does not allow, on either side. */
  @Test
  void passesAValidatingProxy(@TempDir Path folder) throws Exception {
    Path description = Files.writeString(folder.resolve("tableau.json"), derived().toString());
    try (TableauServer tableau = TableauServer.start(FLIGHTS);
        Prism prism =
            Prism.start(description, tableau.url(), "--errors", "--validate-request", "true")) {
      try (TableauRoutes routes = new TableauRoutes(prism.url().toString(), Map.of())) {
        assertThat(routes.sync(Map.of("centre_financier", "F0001")).rejected()).isZero();
        assertThat(routes.sync().read()).isEqualTo(50);
        // the proxy is there and says no
        tableau.nextQuery(200, "{\"data\":{}}");
        assertThat(routes.failure()).hasMessageContaining("HTTP 500");
      }
      assertThat(tableau.count(TableauServer.QUERY)).isEqualTo(3);
    }
  }

  /**
   * The description under the paths that Tableau's own clients use, with its sign-in and sign-out.
   */
  private static JsonNode derived() throws IOException {
    ObjectNode document = (ObjectNode) document();
    document.remove("servers");
    ObjectNode paths = JSON.createObjectNode();
    document
        .get("paths")
        .properties()
        .forEach(path -> paths.set("/api/v1/vizql-data-service" + path.getKey(), path.getValue()));
    paths.set(
        TableauServer.SIGN_IN,
        JSON.readTree(
            """
            {"post": {"security": [], "requestBody": {"required": true, "content": {"application/json": {"schema": {
              "type": "object", "required": ["credentials"], "properties": {"credentials": {
                "type": "object", "required": ["jwt", "site"], "additionalProperties": false, "properties": {
                  "jwt": {"type": "string"},
                  "site": {"type": "object", "required": ["contentUrl"], "properties": {"contentUrl": {"type": "string"}}}}}}}}}},
              "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object",
                "required": ["credentials"]}}}}, "default": {"description": ""}}}}"""));
    paths.set(
        TableauServer.SIGN_OUT,
        JSON.readTree("{\"post\": {\"responses\": {\"204\": {\"description\": \"\"}}}}"));
    document.set("paths", paths);
    return document;
  }
}
