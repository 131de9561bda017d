package dev.caravan.provider;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.failure.InvalidParameter;
import dev.caravan.pgload.LoadResult;
import dev.caravan.testing.ProviderRig;
import dev.caravan.testing.StubSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** World Bank indicators, by the file that ships, from a server that answers as was recorded. */
class WorldBankTest {

  private static final String PROVIDER = "statistics-worldbank_api-data_entries";
  private static final Path RECORDED = Path.of("src/test/resources/worldbank");
  private static final Map<String, ?> GDP =
      Map.of("year", 2019, "filters", Map.of("indicator", "NY.GDP.MKTP.CD", "country", "1A;S3"));

  private static StubSource bank;
  private static ProviderRig rig;

  @BeforeAll
  static void start() throws Exception {
    bank = StubSource.start();
    rig =
        ProviderRig.start(
            Path.of("providers/worldbank.yaml"),
            Map.of("caravan.providers.worldbank.url", bank.url()));
  }

  @AfterAll
  static void stop() {
    rig.close();
    bank.close();
  }

  @AfterEach
  void forget() {
    bank.calls().clear();
  }

  private static String page(int number, int pages) throws Exception {
    String recorded = Files.readString(RECORDED.resolve("page-1-of-132.json"));
    return recorded
        .replace("\"page\":1,\"pages\":132", "\"page\":%d,\"pages\":%d".formatted(number, pages))
        .replace("\"total\":264", "\"total\":" + 2 * pages)
        .replace("\"date\":\"2019\"", "\"date\":\"%d\"".formatted(2020 - number));
  }

  @Test
  void loadsTheIndicatorsOfAYearAndASecondSyncChangesNothing() throws Exception {
    for (int i = 0; i < 2; i++) {
      bank.then(200, page(1, 2)).then(200, page(2, 2));
    }
    LoadResult first = rig.sync(PROVIDER, GDP);
    assertThat(first.inserted()).isEqualTo(4);
    assertThat(bank.targets())
        .containsExactly(
            "/v2/country/1A%3BS3/indicator/NY.GDP.MKTP.CD?format=json&source=2&per_page=1000&date=2019&page=1",
            "/v2/country/1A%3BS3/indicator/NY.GDP.MKTP.CD?format=json&source=2&per_page=1000&date=2019&page=2");
    assertThat(rig.sql().rows("SELECT * FROM worldbank_indicators WHERE year = 2019 ORDER BY 2"))
        .containsExactly(
            "NY.GDP.MKTP.CD|1A|ARB|2019|2817414584665.11",
            "NY.GDP.MKTP.CD|S3|CSS|2019|77721714917.8506");
    assertThat(rig.sync(PROVIDER, GDP).unchanged()).isEqualTo(4);
  }

  @Test
  void anErrorInsideOfA200IsNoEmptyYear() throws Exception {
    String recorded = Files.readString(RECORDED.resolve("invalid-value.json"));
    bank.then(200, recorded).then(200, recorded);
    for (CaravanException failure :
        new CaravanException[] {rig.failure(PROVIDER, GDP), rig.refusal(PROVIDER, GDP)}) {
      assertThat(failure.code()).isEqualTo(FailureCode.SOURCE_REFUSED);
      assertThat(failure).hasMessageContaining("The provided parameter value is not valid");
    }
  }

  @Test
  void htmlInPlaceOfJsonIsTriedAgain() throws Exception {
    String html = "\uFEFF<html><body>Request Error</body></html>";
    bank.then(400, html).then(200, html);
    assertThat(rig.failure(PROVIDER, GDP).code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE);
    assertThat(rig.failure(PROVIDER, GDP).code()).isEqualTo(FailureCode.SOURCE_UNAVAILABLE);
  }

  @Test
  void aPageThatDoesNotComeIsAFailure() throws Exception {
    bank.then(200, page(1, 2))
        .then(200, "[{\"page\":2,\"pages\":2,\"total\":4,\"lastupdated\":\"2021-05-25\"},[]]");
    assertThat(rig.failure(PROVIDER, GDP).code()).isEqualTo(FailureCode.SOURCE_INCOMPLETE);
    bank.then(200, page(1, 2)).then(200, page(2, 2).replace("2021-05-25", "2021-06-25"));
    assertThat(rig.failure(PROVIDER, GDP).code()).isEqualTo(FailureCode.SOURCE_CHANGED);
  }

  @Test
  void aYearWithoutDataHasNoRows() throws Exception {
    bank.then(
        200, "[{\"page\":0,\"pages\":0,\"per_page\":0,\"total\":0,\"lastupdated\":null},null]");
    assertThat(rig.sync(PROVIDER, GDP).read()).isZero();
  }

  @Test
  void whatTheCallerHasToCorrectHasItsPlace() throws Exception {
    CaravanException wrong =
        rig.refusal(PROVIDER, Map.of("year", 2019, "filters", Map.of("indicator", "a/../b")));
    assertThat(wrong)
        .isInstanceOfSatisfying(
            InvalidParameter.class, e -> assertThat(e.pointer()).isEqualTo("/filters/indicator"));
    assertThat(bank.calls()).isEmpty();
    bank.then(200, page(1, 2));
    rig.check(PROVIDER, GDP);
    assertThat(bank.calls()).hasSize(1);
  }
}
