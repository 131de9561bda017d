package dev.caravan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.testing.Api;
import dev.caravan.testing.FreePort;
import dev.caravan.testing.Sql;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a newcomer sees: the embedded default with the samples, stopped and started again. */
class FirstRunTest {

  private static final List<String> SAMPLES =
      List.of(
          "FAOSTAT_data_QCL.csv",
          "IxExpLand.csv",
          "IxExpOrt.csv",
          "IxExpSprache.csv",
          "IxExpWaehrung.csv",
          "faostat_area_codes.csv.gz",
          "ilostat_earnings.csv");

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path data;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final int httpPort = FreePort.find();
  private final int databasePort = FreePort.find();

  private Caravan start() throws Exception {
    Map<String, String> settings =
        Map.of(
            "caravan.data", data.toString(),
            "caravan.http.port", String.valueOf(httpPort),
            "caravan.management.port", "0",
            "caravan.embedded.database.port", String.valueOf(databasePort));
    return new Caravan(settings, new PrintStream(printed, true, StandardCharsets.UTF_8)).start();
  }

  private String out() {
    return printed.toString(StandardCharsets.UTF_8);
  }

  private Sql sql() throws IOException {
    return new Sql(
        "jdbc:postgresql://127.0.0.1:" + databasePort + "/caravan",
        "caravan",
        Files.readString(data.resolve("postgres/caravan.password")).strip());
  }

  private void awaitLine(String regex) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(out().lines()).anyMatch(line -> line.matches(regex)));
  }

  @Test
  void loadsTheSamplesAndWhatIsDroppedAndNothingTwice() throws Exception {
    try (Caravan caravan = start()) {
      awaitLine("worldbank_gdp.csv +public.worldbank_gdp +46 +0 +0 +1 +5 +[0-9]+ *");
      for (String file : SAMPLES) {
        awaitLine(file + " .*"); // jobs end in any order
      }
      assertThat(out())
          .containsPattern(
              "file +table +inserted +updated +unchanged +superseded +rejected +rows/s")
          .containsPattern("FAOSTAT_data_QCL.csv +public.faostat_crops +199 ")
          .containsPattern("IxExpLand.csv +public.land +249 ")
          .containsPattern("IxExpOrt.csv +public.ort +9488 ")
          .containsPattern("IxExpSprache.csv +public.sprache +645 ")
          .containsPattern("IxExpWaehrung.csv +public.waehrung +305 ")
          .containsPattern("faostat_area_codes.csv.gz +public.faostat_area_codes +244 ")
          .containsPattern("ilostat_earnings.csv +public.ilostat_earnings +114 ")
          .contains("http://127.0.0.1:" + httpPort + "/docs")
          .contains("postgresql://caravan@127.0.0.1:" + databasePort);
      rejectsAreExplained();
      assertThat(sql().value("SELECT count(*) FROM ort o WHERE o::text LIKE '%ß%'"))
          .isNotEqualTo("0");
      loadsADroppedFile();
      showsItselfInJmxAndRest(caravan);
    }
    assertThat(out()).contains(Files.readString(data.resolve("admin.key")), "shown this once");
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("admin.key"))))
        .isEqualTo("rw-------");
    String before = state();
    printed.reset();
    try (Caravan again = start()) {
      assertThat(again.context().getRoute("import-sftp")).isNotNull();
      Files.writeString(data.resolve("sftp/export/IxExpLast.csv"), "id;a\n1;x\n");
      awaitLine("IxExpLast.csv +public.last +1 .*");
      assertThat(out()).doesNotContain("IxExpLand.csv", "worldbank_gdp.csv", "cvn_");
      assertThat(sql().value("SELECT count(*) FROM caravan.load WHERE file <> 'IxExpLast.csv'"))
          .isEqualTo(before);
    }
  }

  private String state() throws Exception {
    try (Caravan idle = start()) {
      assertThat(idle.context().getStatus().isStarted()).isTrue();
      return sql().value("SELECT count(*) FROM caravan.load");
    }
  }

  private void rejectsAreExplained() throws IOException {
    assertThat(
            sql()
                .rows(
                    "SELECT line, column_name, code FROM caravan.reject WHERE file = 'worldbank_gdp.csv' ORDER BY line"))
        .containsExactly(
            "9|null|COLUMN_COUNT",
            "17|null|COLUMN_COUNT",
            "25|indicator|STRAY_QUOTE",
            "33|countryiso3code|NULL_KEY",
            "41|country|ENCODING");
    assertThat(sql().value("SELECT raw FROM caravan.reject WHERE line = 41")).contains("\\xA0");
    assertThat(
            sql()
                .value(
                    "SELECT value FROM worldbank_gdp WHERE countryiso3code = 'ARB' AND date = '2019'"))
        .isEqualTo("2817414584665");
  }

  private void loadsADroppedFile() throws IOException {
    Path export = data.resolve("sftp/export");
    Files.write(
        export.resolve("IxExpNeu.csv"),
        "id;Straße\n1;Größe\n".getBytes(StandardCharsets.ISO_8859_1));
    awaitLine("IxExpNeu.csv +public.neu +1 .*");
    assertThat(sql().value("SELECT \"Straße\" FROM neu")).isEqualTo("Größe");
    await().atMost(PATIENCE).until(() -> Files.exists(export.resolve(".done/IxExpNeu.csv")));
    assertThat(export.resolve("IxExpNeu.csv")).doesNotExist();
    Files.copy(export.resolve(".done/IxExpNeu.csv"), export.resolve("IxExpNeu.csv"));
    awaitLine("IxExpNeu.csv +public.neu .*skipped: the same content.*");
  }

  private void showsItselfInJmxAndRest(Caravan caravan) throws Exception {
    assertThat(caravan.context().getName()).isEqualTo("caravan");
    assertThat(
            ManagementFactory.getPlatformMBeanServer()
                .queryNames(
                    new ObjectName(
                        "org.apache.camel:context=caravan,type=routes,name=\"import-sftp\""),
                    null))
        .hasSize(1);
    HttpResponse<String> jobs = get("jobs?limit=200");
    assertThat(jobs.statusCode()).isEqualTo(200);
    assertThat(jobs.body()).contains("worldbank_gdp.csv", "\"status\": \"completed\"");
    assertThat(sql().rows("SELECT DISTINCT state FROM caravan.job")).containsExactly("completed");
    String job =
        sql().value("SELECT job_id FROM caravan.job_load WHERE label = 'worldbank_gdp.csv'");
    assertThat(get("jobs/" + job + "/rejects?after=9&limit=3").body())
        .contains("\"line\":17", "\"line\":33", "\"next\":33");
    HttpResponse<String> csv = get("jobs/" + job + "/rejects.csv");
    assertThat(csv.headers().firstValue("Content-Type")).hasValue("text/csv; charset=utf-8");
    assertThat(csv.headers().firstValue("Content-Disposition"))
        .hasValueSatisfying(value -> assertThat(value).startsWith("attachment; filename="));
    assertThat(csv.body().lines()).hasSize(6);
    assertThat(get("jobs/x/rejects.csv").statusCode()).isEqualTo(404);
  }

  private HttpResponse<String> get(String path) throws Exception {
    return new Api(URI.create("http://127.0.0.1:" + httpPort), Map.of())
        .with("Authorization", "Bearer " + Files.readString(data.resolve("admin.key")))
        .get("/api/v1/" + path);
  }
}
