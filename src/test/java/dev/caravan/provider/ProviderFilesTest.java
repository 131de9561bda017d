package dev.caravan.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.project.ProviderReader;
import dev.caravan.testing.ProviderRig;
import dev.caravan.testing.StubSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/providers.md shows runs as it stands there, and what is wrong in a file is said. */
class ProviderFilesTest {

  private static final String YEAR = "{\"orders\":[%s],\"meta\":{\"next\":%s,\"total\":2}}";

  @TempDir private Path folder;

  /** The blocks of YAML below a heading. */
  private static String block(String heading, int index) throws Exception {
    String text = Files.readString(Path.of("docs/providers.md"));
    int start = text.indexOf("\n" + heading + "\n");
    return Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL)
        .matcher(text.substring(start))
        .results()
        .skip(index)
        .findFirst()
        .map((MatchResult found) -> found.group(1))
        .orElseThrow();
  }

  private Path file(String name, String text) throws Exception {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void showsTheFilesThatShip() throws Exception {
    assertThat(block("## World Bank", 0))
        .isEqualTo(Files.readString(Path.of("providers/worldbank.yaml")));
    assertThat(block("## World Bank", 1))
        .isEqualTo(Files.readString(Path.of("mappings/worldbank.yaml")));
    assertThat(block("## World Bank", 0).lines()).hasSizeLessThanOrEqualTo(20);
    assertThat(ProviderReader.read(Path.of("providers/entries.yaml"))).hasSize(8);
  }

  @Test
  void aCursorAndALinkAreYamlAlone() throws Exception {
    Path mapping = file("shop.yaml", "columns: {id: {from: id}, sum: {from: sum}}");
    Path providers =
        file("p.yaml", block("### Pages", 0).replace("mappings/shop.yaml", mapping.toString()));
    try (StubSource shop = StubSource.start();
        ProviderRig rig =
            ProviderRig.start(
                providers,
                Map.of(
                    "caravan.providers.shop.url",
                    shop.url(),
                    "caravan.providers.shop.token",
                    "t{year}: \"'#"))) {
      shop.then(200, YEAR.formatted("{\"id\":1,\"sum\":1.10}", "\"n2\""))
          .then(200, YEAR.formatted("{\"id\":2,\"sum\":2}", "null"));
      assertThat(rig.sync("purchases-cursor_api-data_entries", Map.of("year", 2024)).inserted())
          .isEqualTo(2);
      assertThat(shop.targets())
          .containsExactly(
              "/v1/orders?year=2024&limit=100", "/v1/orders?year=2024&limit=100&after=n2");
      assertThat(shop.calls().get(0).headers())
          .containsEntry("authorization", "Bearer t{year}: \"'#");
      shop.then(200, "[{\"id\":2,\"sum\":2}]", "Link", "</v2/orders/2024?p=2>; rel=next")
          .then(200, "[{\"id\":3,\"sum\":3}]");
      assertThat(rig.sync("purchases-link_api-data_entries", Map.of("year", 2024)).inserted())
          .isEqualTo(1);
      assertThat(rig.sql().rows("SELECT id, sum FROM shop_orders ORDER BY id"))
          .containsExactly("1|1.10", "2|2", "3|3");
    }
  }

  @Test
  void keysThatAreValuesAreYamlAlone() throws Exception {
    Path mapping = file("unido.yaml", block("### Keys that are values", 1));
    Path providers =
        file(
            "p.yaml",
            block("### Keys that are values", 0)
                .replace("mappings/unido.yaml", mapping.toString()));
    try (StubSource unido = StubSource.start();
        ProviderRig rig =
            ProviderRig.start(providers, Map.of("caravan.providers.unido.url", unido.url()))) {
      unido.then(
          200,
          """
          {"data":{"structure":{"dimensions":{"series":["COUNTRY","INDICATOR","CLASSIFICATION"]}},
           "dataSets":[{"series":{"204.52.C":{"observations":{"2006 M01":[[26.12]],"2006":[[28.1]]}}}}]}}""");
      rig.sync(
          "statistics-unido_api-data_entries",
          Map.of("year", 2006, "filters", Map.of("key", "204.52.C")));
      assertThat(unido.targets())
          .containsExactly("/sdmx/data/UNIDO/IIP/latest/204.52.C?startPeriod=2006");
      assertThat(rig.sql().rows("SELECT * FROM unido_index ORDER BY period"))
          .containsExactly("204|52|C|2006|28.1", "204|52|C|2006 M01|26.12");
    }
  }

  @Test
  void saysAllThatIsWrongInAFile() throws Exception {
    Path wrong =
        file(
            "wrong.yaml",
            """
            providers:
              - provider: Travel
                urll: x
                table: "a b"
                pages: {kind: pager, query: 1}
                rules: [{status: 4yy, code: NONE}]
                answer: {records: data}
                auth: {type: header, secret: 12345}
            """);
    assertThatThrownBy(() -> ProviderReader.read(wrong))
        .isInstanceOf(CaravanException.class)
        .hasMessageContainingAll(
            "providers[0].provider: found \"Travel\"",
            "providers[0].urll: unknown key (did you mean url?)",
            "providers[0].mapping: missing",
            "providers[0].table: found \"a b\"; allowed: a plain name of a table",
            "providers[0].pages.kind: found \"pager\"; allowed: page or offset or cursor or link or next",
            "providers[0].rules[0].status",
            "providers[0].rules[0].code",
            "providers[0].answer.records: found \"data\"; allowed: a JSON pointer")
        .hasMessageNotContaining("12345");
    Path both =
        file(
            "both.yaml",
            "providers: [{provider: a-b-factors, url: x, bean: y, pages: {kind: link}, mapping: m, table: t}]");
    assertThatThrownBy(() -> ProviderReader.read(both))
        .hasMessageContainingAll("exactly one of url and bean", "pages: given with bean");
  }

  @Test
  void aProviderWhoseAddressIsEmptyIsLeftOut() throws Exception {
    try (ProviderRig rig =
        ProviderRig.start(
            Path.of("providers/worldbank.yaml"), Map.of("caravan.providers.worldbank.url", ""))) {
      assertThatThrownBy(
              () -> rig.sync("statistics-worldbank_api-data_entries", Map.of("year", 2024)))
          .hasMessageContaining("No consumers available");
    }
  }
}
