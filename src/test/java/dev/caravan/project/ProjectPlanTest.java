package dev.caravan.project;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProjectPlanTest {

  private static final ProjectConfig CONTRACT = ProjectTexts.read(ProjectTexts.CONTRACT);

  /** Loads every file into a table that is named for it. */
  private static final ProjectConfig EVERYTHING =
      ProjectTexts.read(
          """
          project: abc
          connection: warehouse
          tables: [{file_pattern: "*", target_table: everything, primary_key: id}]
          """);

  private static ProjectConfig withNaming(String naming) {
    return ProjectTexts.read(ProjectTexts.MINIMAL + "table_naming: {" + naming + "}\n");
  }

  private static String tableOf(ProjectConfig config, String fileName) {
    return config.plan(fileName).orElseThrow().table();
  }

  private static CaravanException failureOf(ProjectConfig config, String fileName) {
    return catchThrowableOfType(CaravanException.class, () -> config.plan(fileName));
  }

  @Test
  void plansAnExplicitEntryBeforeTheDefaults() {
    TablePlan plan = CONTRACT.plan("customers_2024.csv").orElseThrow();

    assertThat(plan.schema()).isEqualTo("public");
    assertThat(plan.table()).isEqualTo("customers");
    assertThat(plan.options().keyColumns()).containsExactly("id", "year");
    assertThat(plan.options()).isEqualTo(CONTRACT.tables().get(0).options());
  }

  @Test
  void discoversAHundredAndFiftySimilarFiles() {
    assertThat(IntStream.rangeClosed(1, 150))
        .allSatisfy(
            i -> {
              TablePlan plan = CONTRACT.plan("IxExpKonto%03d.csv".formatted(i)).orElseThrow();
              assertThat(plan.table()).isEqualTo("konto%03d".formatted(i));
              assertThat(plan.options()).isEqualTo(CONTRACT.tables().get(1).options());
            });
  }

  @Test
  void takesTheFirstOfTheEntriesThatMatch() {
    ProjectConfig config =
        ProjectTexts.read(
            """
            project: abc
            connection: warehouse
            defaults: {primary_key: id}
            tables:
              - {file_pattern: "a*.csv", target_table: first}
              - {file_pattern: "ab*.csv", target_table: second, db_schema: other}
              - {file_pattern: "b*.csv", db_schema: other}
            """);

    assertThat(tableOf(config, "abc.csv")).isEqualTo("first");
    assertThat(config.plan("Bx.csv")).isEmpty();
    assertThat(config.plan("b-Named.csv"))
        .hasValueSatisfying(
            plan -> {
              assertThat(plan.schema()).isEqualTo("other");
              assertThat(plan.table()).isEqualTo("b-named");
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"readme.txt", "IxExpKonto.csv.part", "", "..", ".done", "../x.txt"})
  void leavesFilesAloneThatNoPatternMatches(String fileName) {
    assertThat(CONTRACT.plan(fileName)).isEmpty();
    assertThat(CONTRACT.covers(fileName)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "IxExpKonto.csv, konto",
    "IxExpKonto.csv.gz, konto",
    "Konto.csv, konto",
    "ixexpKonto.csv, ixexpkonto",
    "IxExpIxExpKonto.csv, ixexpkonto",
    "IxExpGrößen Straße.csv, größen straße",
    "IxExp_2024-01.csv, _2024-01",
  })
  void namesTheTableAfterTheFile(String fileName, String table) {
    assertThat(tableOf(CONTRACT, fileName)).isEqualTo(table);
  }

  @ParameterizedTest
  @CsvSource({
    "strip_suffix: _export, Konto_export.csv, konto",
    "strip_suffix: _export, Konto_export.csv.gz, konto",
    "strip_suffix: _export, Konto_Export.csv, konto_export",
    "'strip_prefix: IxExp, strip_suffix: _v2', IxExpKonto_v2.csv.gz, konto",
    "strip_suffix: .csv, Konto.csv, konto",
    "'strip_prefix: A, strip_suffix: B', AxB.csv, x",
    "lowercase: false, Konto.csv, Konto",
  })
  void followsTheTableNaming(String naming, String fileName, String table) {
    assertThat(tableOf(withNaming(naming), fileName)).isEqualTo(table);
  }

  /** Whether such a file can be read is told by its bytes, and its table has a name before. */
  @ParameterizedTest
  @ValueSource(strings = {"gz", "GZ", "zip", "ZIP", "bz2", "xz", "zst", "lz4", "7z", "rar", "Z"})
  void namesTheTableWithoutTheEndingOfAPackedFile(String ending) {
    ProjectConfig all =
        ProjectTexts.read(
            "project: e\nconnection: w\ndefaults: {file_pattern: '*', mode: append}\n");

    assertThat(tableOf(all, "x.csv." + ending)).isEqualTo("x");
    assertThat(tableOf(all, "x." + ending)).isEqualTo("x");
    assertThat(failureOf(all, "." + ending).code()).isEqualTo(FailureCode.BAD_NAME);
    assertThat(failureOf(all, "x.csv.y" + ending).code()).isEqualTo(FailureCode.BAD_NAME);
  }

  @Test
  void givesAComposedAndADecomposedUmlautTheSameTable() {
    assertThat(tableOf(CONTRACT, "a\u0308nderung.csv"))
        .isEqualTo(tableOf(CONTRACT, "änderung.csv"))
        .isEqualTo("änderung");
  }

  @Test
  void lowersNamesTheSameInEveryLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("tr"));
      assertThat(tableOf(CONTRACT, "IDS.csv")).isEqualTo("ids");
    } finally {
      Locale.setDefault(before);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-rf.csv",
        "$(id).csv",
        "${file:name}.csv",
        "${jndi:ldap://x}.csv",
        "{{secret}}.csv",
        "#{x}.csv",
        "id\"; DROP TABLE x; --.csv",
        "2024.csv",
        "a.b.csv",
        ".csv",
        "IxExp.csv",
        "a%2e%2e.csv",
        "a\u202eb.csv",
      })
  void makesNoTableNameOfAHostileFileName(String fileName) {
    CaravanException failure = failureOf(CONTRACT, fileName);

    assertThat(CONTRACT.covers(fileName)).isTrue();
    assertThat(failure.code()).isEqualTo(FailureCode.BAD_NAME);
    assertThat(failure).hasMessageContaining(Printable.quoted(fileName));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"-rf.csv", "$(id).csv", "${file:name}.csv", "{{secret}}", "2024.csv", "%2e%2e"})
  void loadsAFileOfAnyPlainNameIntoATableThatIsNamedForIt(String fileName) {
    assertThat(tableOf(EVERYTHING, fileName)).isEqualTo("everything");
    assertThat(tableOf(EVERYTHING, "a".repeat(300))).isEqualTo("everything");
  }

  /** A listing asks for every name in it; one that fails would hold up all the others. */
  @Test
  void coversAFileWhoseOwnLoadWillFail() {
    assertThat(CONTRACT.covers("2024.csv")).isTrue();
    assertThat(CONTRACT.covers("a".repeat(300) + ".csv")).isTrue();
    assertThat(EVERYTHING.covers("../../etc/passwd")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "../x.csv",
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b",
        "..\\x.csv",
        "file:///x.csv",
        "a\nb.csv",
        "a\rb.csv",
        "a\tb.csv",
        "a\u0000b.csv",
        "a\u0085b.csv",
        "a\uFFFDb.csv",
        "a\uD800b.csv",
      })
  void refusesANameThatIsNoPlainFileName(String fileName) {
    CaravanException failure = failureOf(EVERYTHING, fileName);

    assertThat(failure.code()).isEqualTo(FailureCode.BAD_NAME);
    assertThat(failure.getMessage()).doesNotContainPattern("[\\p{Cntrl}\\uD800]");
  }

  @Test
  void refusesANameThatPostgresqlWouldCut() {
    assertThat(tableOf(CONTRACT, "a".repeat(63) + ".csv")).hasSize(63);
    for (String stem : new String[] {"a".repeat(64), "ä".repeat(32), "a".repeat(4097)}) {
      CaravanException failure = failureOf(CONTRACT, stem + ".csv");
      assertThat(failure.code()).isEqualTo(FailureCode.NAME_TOO_LONG);
      assertThat(failure).hasMessageContaining(stem.substring(0, 32));
      assertThat(failure.getMessage()).hasSizeLessThan(500);
    }
  }

  @Test
  void neverLoadsAMarkerFile() {
    ProjectConfig config =
        ProjectTexts.read(
            """
            project: abc
            connection: warehouse
            sftp: {done_marker: "ok_{name}.done"}
            tables: [{file_pattern: "*", target_table: t, primary_key: id}]
            """);

    assertThat(config.sftp().doneMarker())
        .hasValueSatisfying(
            marker -> assertThat(marker.markerOf("a.csv")).isEqualTo("ok_a.csv.done"));
    assertThat(config.plan("ok_a.csv.done")).isEmpty();
    assertThat(config.plan("ok_.done")).isPresent();
    assertThat(config.plan("a.csv")).isPresent();
  }
}
